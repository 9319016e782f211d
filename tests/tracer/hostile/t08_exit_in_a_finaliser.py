# T8 ok: SystemExit where nobody listens
class Odd:
    def __del__(self):
        raise SystemExit(3)


x = Odd()
x = None
