# call: asyncio.run(main())
import asyncio


class Turn:
    def __init__(self, log):
        self.log = log

    async def __aenter__(self):
        self.log.append("in")
        return self

    async def __aexit__(self, kind, error, trace):
        self.log.append("out")
        return kind is KeyError


async def worker(name, items, log):
    while items:
        item = items.pop()
        log.append((name, item))
        await asyncio.sleep(0)
        if item == "bad":
            raise ValueError(name)
    return name


async def patient(log):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


async def main():
    log = []
    async with Turn(log) as turn:
        raise KeyError(len(turn.log))
    items = [4, 3, 2, 1]
    names = await asyncio.gather(worker("a", items, log), worker("b", items, log))
    failed = await asyncio.gather(worker("c", ["bad"], log), return_exceptions=True)
    try:
        async with asyncio.timeout(0):
            await patient(log)
    except TimeoutError:
        log.append("late")
    return names, log, repr(failed)
