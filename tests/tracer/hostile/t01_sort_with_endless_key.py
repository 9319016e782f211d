# T1 timeout: a comparison that does not come back
class Slow:
    def __lt__(self, other):
        while True:
            pass


sorted([Slow(), Slow()])
