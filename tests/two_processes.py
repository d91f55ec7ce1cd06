"""Two applications over one database, each with its own response cache, and one that keeps nothing."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.mongo.stores import MongoStores
from academy.settings import Settings
from api.answered import Answer
from api.app import create_app
from api.provenance import SCOPE_KEY
from api.response_cache import Direct, ResponseCache
from api.whole_answers import Whole
from tests.fixtures_api import client_of

PULSE = "opportunities/pulse"
"""A document that no page shows: once told of it, a cache was told of all that was written before."""


@dataclass
class Processes:
    stores: MongoStores
    kept: tuple[httpx.AsyncClient, httpx.AsyncClient]
    fresh: httpx.AsyncClient
    caches: tuple[ResponseCache, ...]
    told: tuple[Counter[str], ...]
    dawdle: float = 0.0
    """Seconds that a fill takes after it has read everything: time for a write to overtake it."""

    def slow_down(self) -> None:
        for cache in self.caches:
            cache._app = self._dawdling(cache._app)
            assert cache._direct is not None
            cache._direct = self._dawdling_direct(cache._direct)

    def _dawdling_direct(self, direct: Direct) -> Direct:
        """Public reads go this shorter way."""

        async def slow(scope: Scope, route: APIRoute) -> Answer | None:
            answer = await direct(scope, route)
            if self.dawdle:
                await asyncio.sleep(self.dawdle)
            return answer

        return slow

    def _dawdling(self, app: ASGIApp) -> ASGIApp:
        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            if SCOPE_KEY in scope and self.dawdle:
                await asyncio.sleep(self.dawdle)
            for message in messages:
                await send(message)

        return slow

    def ready(self, path: str) -> list[bytes | None]:
        """What each process would send without waiting; None where it would have to make it."""
        return [
            _content(cache.ready(_scope(client.build_request("GET", path))))
            for client, cache in zip(self.kept, self.caches, strict=True)
        ]

    async def settled(self) -> None:
        """When both caches were told of everything written until now."""
        before = [marks[PULSE] for marks in self.told]
        while any(marks[PULSE] == seen for marks, seen in zip(self.told, before, strict=True)):
            # Again and again: a stream that was lost meanwhile does not tell what it missed.
            await self.stores.database.opportunities.update_one(
                {"_id": "pulse"}, {"$inc": {"beat": 1}}, upsert=True
            )
            for _ in range(100):
                await asyncio.sleep(0.002)
                if all(marks[PULSE] > seen for marks, seen in zip(self.told, before, strict=True)):
                    break

    async def kill_streams(self) -> int:
        """The server's cursors of all change streams on this database; how many there were."""
        database = self.stores.database
        admin = self.stores.client.admin
        running = await (
            await admin.aggregate([{"$currentOp": {"idleCursors": True, "allUsers": True}}])
        ).to_list()
        cursors = [
            each["cursor"]["cursorId"]
            for each in running
            if each.get("ns", "").startswith(f"{database.name}.$cmd.aggregate") and "cursor" in each
        ]
        if cursors:
            await database.command("killCursors", "$cmd.aggregate", cursors=cursors)
        return len(cursors)


@asynccontextmanager
async def two_processes(settings: Settings) -> AsyncIterator[Processes]:
    one, two, bare = (create_app(settings) for _ in range(3))
    async with one.router.lifespan_context(one), two.router.lifespan_context(two):
        bare.state.services = one.state.services  # without its lifespan it is told of no changes
        told = tuple(_listening(app) for app in (one, two))
        async with client_of(one) as first, client_of(two) as second, client_of(bare) as fresh:
            processes = Processes(
                stores=one.state.services.backend.stores,
                kept=(first, second),
                fresh=fresh,
                caches=(one.state.response_cache, two.state.response_cache),
                told=told,
            )
            processes.slow_down()
            await processes.settled()
            yield processes


def _scope(request: httpx.Request) -> Scope:
    """As uvicorn would say it."""
    return {
        "type": "http",
        "method": request.method,
        "path": request.url.path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }


def _content(whole: Whole | None) -> bytes | None:
    if whole is None:
        return None
    packed = b"content-encoding: gzip" in whole.lines
    return gzip.decompress(whole.body) if packed else whole.body


def _listening(app: FastAPI) -> Counter[str]:
    cache, told = app.state.response_cache, Counter[str]()
    change = cache.changed

    def changed(marks):
        marks = list(marks)
        change(marks)
        told.update(marks)

    cache.changed = changed
    return told
