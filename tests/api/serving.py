"""The server as a process of its own, on a port of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager

import httpx

SERVE = (
    "import sys; from academy.settings import Settings; from api.server import serve; "
    "serve(Settings.load(), '127.0.0.1', int(sys.argv[1]))"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def start(port, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        str(port),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def serving(settings, folder, **environment):
    """Yields the process, once it is ready or has ended, and a client of it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = await start(
        port,
        ACADEMY_MONGODB_URL=settings.mongodb_url,
        ACADEMY_MONGODB_DATABASE=settings.mongodb_database,
        ACADEMY_STORAGE_URL=settings.storage_url,
        ACADEMY_SECRET_KEY=settings.secret_key,
        ACADEMY_PUBLIC_URL=url,
        ACADEMY_DATA_DIR=str(folder),
        **environment,
    )
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        try:
            while process.returncode is None:
                try:
                    if (await client.get("/health/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
            yield process, client
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
