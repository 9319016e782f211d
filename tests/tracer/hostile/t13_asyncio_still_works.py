# T13 ok: an event loop needs a pair of sockets, and no more
import asyncio


async def main():
    await asyncio.sleep(0.01)
    return 3


print(asyncio.run(main()))
