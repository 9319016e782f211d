# call: asyncio.run(main())
import asyncio


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def double(value):
    await asyncio.sleep(0)
    return value * 2


async def main():
    total = 0
    async for tick in ticks(2):
        total += await double(tick + 1)
    both = await asyncio.gather(double(3), double(4))
    squares = [await double(value) async for value in ticks(2)]
    return total, both, squares
