"""`python -m bench.api_process MODULE:FUNCTION PORT`: one application under uvicorn, as in production."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

from academy.catalogue_stores import CourseFilter
from academy.courses import CourseOrder
from academy.mongo.stores import MongoStores
from academy.settings import Settings
from api.app import Academy, create_app
from api.server import Server

ANSWER: Final = "BENCH_ANSWER"
"""Environment: a file with the header lines and the body that the bare application answers with."""


class Bare:
    """The floor: an ASGI application that has the bytes and the headers ready and looks at nothing."""

    def __init__(self) -> None:
        head, body = _kept_answer()
        self._start = {"type": "http.response.start", "status": 200, "headers": head}
        self._body = {"type": "http.response.body", "body": body}
        self.state = SimpleNamespace(closing=asyncio.Event(), settings=Settings.load())
        self.router = SimpleNamespace(lifespan_context=nullcontext)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send(self._start)
        await send(self._body)


def bare() -> Any:
    return Bare()


def academy() -> FastAPI:
    return create_app(Settings.load())


def prebuilt() -> FastAPI:
    """The floor of a miss: a FastAPI route with its answer ready and the one driver call it needs."""
    app = FastAPI(lifespan=_stores)
    app.state.closing, app.state.settings = asyncio.Event(), Settings.load()
    head, body = _kept_answer()
    headers = {
        name.decode(): value.decode()
        for name, value in head
        if name not in {b"content-length", b"content-type"}
    }

    @app.get("/v1/courses/{slug}")
    async def course(slug: str) -> Response:
        await app.state.stores.catalogue.course(slug, drafts=False)
        return Response(body, media_type="application/json", headers=headers)

    @app.get("/v1/courses")
    async def courses() -> Response:
        await app.state.stores.catalogue.courses(CourseFilter(), order=CourseOrder.NEWEST, limit=20)
        return Response(body, media_type="application/json", headers=headers)

    return app


@asynccontextmanager
async def _stores(app: FastAPI) -> AsyncIterator[None]:
    settings = Settings.load()
    app.state.stores = await MongoStores.open(
        settings.require_mongodb_url(), settings.mongodb_database
    )
    yield
    await app.state.stores.close()


def _kept_answer() -> tuple[list[tuple[bytes, bytes]], bytes]:
    head, body = Path(os.environ[ANSWER]).read_bytes().split(b"\r\n\r\n", 1)
    lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
    return [(name, value) for name, value in lines if name != b"date"], body


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    app = getattr(importlib.import_module(module), name)()
    # The floors stand on uvicorn as it comes, settings alike; only the Academy has its own protocol.
    server = Server(app, "127.0.0.1", int(sys.argv[2]))
    if not isinstance(app, Academy):
        server.config.http = "httptools"
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.run_app())


if __name__ == "__main__":
    main()
