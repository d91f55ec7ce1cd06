"""A server in this process, made as uvicorn makes its connections, at a date that stands still."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import uvicorn
from uvicorn.server import ServerState

from api.whole_answers import WholeAnswers

DATE = (b"date", b"Sun, 22 Nov 2026 09:00:00 GMT")


@asynccontextmanager
async def listening(app, protocol=WholeAnswers):
    """Yields its address and port."""
    config, state = uvicorn.Config(app, lifespan="off", log_config=None), ServerState()
    config.load()
    state.default_headers = [DATE]
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()
    finally:
        for connection in list(state.connections):
            connection.transport.abort()
        server.close()
        await server.wait_closed()
        if state.tasks:
            await asyncio.wait(state.tasks)


@asynccontextmanager
async def connected(app, protocol=WholeAnswers):
    async with listening(app, protocol) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()
