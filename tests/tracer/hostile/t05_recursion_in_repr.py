# T5 exception: an object whose repr asks for its repr
class Odd:
    def __repr__(self):
        return repr(self)


print(Odd())
