#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds distance to loopback: delay_proxy.py ONE_WAY_SECONDS LISTEN:TARGET [LISTEN:TARGET ...]

Every byte is passed on ONE_WAY_SECONDS after it came, in both directions, order kept, bandwidth not limited.
Runs until it is ended."""
import asyncio, socket, sys

delay = float(sys.argv[1])


async def pump(reader, writer):
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(1 << 18):
            loop.call_later(delay, writer.write, data)
    except ConnectionError:
        pass
    loop.call_later(delay, writer.close)


async def serve(listen, target):
    async def accept(r, w):
        r2, w2 = await asyncio.open_connection("127.0.0.1", target)
        for x in (w, w2):
            x.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(pump(r, w2), pump(r2, w))
    await asyncio.start_server(accept, "127.0.0.1", listen)


async def main():
    for pair in sys.argv[2:]:
        await serve(*map(int, pair.split(":")))
    await asyncio.Event().wait()

asyncio.run(main())
