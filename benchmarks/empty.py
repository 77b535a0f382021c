"""The least that an aiohttp handler can do: read the body, answer. ``python -m benchmarks.empty PORT``."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web

ANSWER = b'{"accepted":1,"duplicates":0,"rejected":[]}'


async def post(request: web.Request) -> web.Response:
    """Read the body and answer."""
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


async def ready(_: web.Request) -> web.Response:
    """It runs."""
    return web.Response(text="ok")


async def main(port: int) -> None:
    """Serve for ever."""
    app = web.Application()
    app.router.add_post("/v1/predictions", post)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
