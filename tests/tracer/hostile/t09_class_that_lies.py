# T9 ok: says that it is a number, and counts who asks
asked = []


class Odd:
    @property
    def __class__(self):
        asked.append("class")
        return int

    def __getattribute__(self, name):
        asked.append(name)
        return 1


x = Odd()
y = x
print(asked)
