from dataclasses import dataclass, field


class Shape:
    sides = 0

    def name(self):
        return f"shape of {self.sides}"


class Square(Shape):
    sides = 4
    powers = [side**2 for side in range(3)]

    def name(self):
        return super().name().upper()


@dataclass
class Box:
    shape: Shape
    items: list = field(default_factory=list)

    @property
    def full(self):
        return len(self.items) > 1


box = Box(Square())
box.items.append(box.shape.name())
box.items += [box]
full = box.full
try:
    ratios = [1 // side for side in (1, 0)]
except ZeroDivisionError as error:
    ratios = repr(error)
