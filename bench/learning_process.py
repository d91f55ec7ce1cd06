"""The API with one write for each heartbeat: a FastAPI route as it is usually written, and the way that ours
takes around it. `bench.api_process` serves them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from academy.mongo import progress
from academy.mongo.client import Database
from academy.progress import Heartbeat
from academy.settings import Settings
from api.app import create_app


class Unbuffered:
    """In the buffer's place: the same join, written when it arrives and acknowledged then."""

    def __init__(self, database: Database) -> None:
        self._progress = database.progress

    async def report(self, beat: Heartbeat) -> None:
        update = progress.joining(beat)
        await self._progress.update_one(progress.key(beat), update, upsert=True)

    async def close(self) -> None:
        return


def one_write_each() -> FastAPI:
    return _unbuffered(create_app(Settings.load(), short_ways=False))


def one_write_each_short_way() -> FastAPI:
    return _unbuffered(create_app(Settings.load()))


def _unbuffered(app: FastAPI) -> FastAPI:
    usual = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Any]:
        async with usual(served) as state:
            held = served.state.services
            unbuffered: Any = Unbuffered(held.backend.stores.database)
            learners = dataclasses.replace(held.learners, heartbeats=unbuffered)
            served.state.services = dataclasses.replace(held, learners=learners)
            yield state

    app.router.lifespan_context = lifespan
    return app
