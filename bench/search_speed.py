"""How long a search takes at the database: 2,000 courses, 20,000 lectures, 200,000 captions.

`search.median_ms…` is what the API waits for: its reference is one `find_one` by `_id` on the same index, in
the same round, about what one trip to the database costs on this machine. A page of twenty hits takes two
to six such trips, and the hits are checked against the catalogue within the time measured.
`search.server_ms…` is what mongod itself spends on those trips, by its own account, against the 5 ms that
it may.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from academy.embedded import EmbeddedMongo
from academy.mongo.stores import MongoStores
from academy.search.entries import Kind
from academy.search.query import parse
from academy.search.words import warm_up
from bench import catalogue_data as data
from bench import search_index
from bench.registry import Result, benchmark

DATABASE: Final = "bench"
ROUNDS: Final = 31
PAGE: Final = 20
ALLOWED: Final = 5.0
"""Milliseconds of the server for one search."""
ASKED: Final[dict[str, Sequence[str]]] = {
    "rare": [f"{word} " for word in data.RARE.values()],
    "common": [f"{word} " for word in data.COMMON.values()],
    "two": ["介绍 云计算 ", "lecture entropy ", "cours réseaux ", "cloud 线性代数 "],
    "typed": ["c", "lect", "infor", "云计", "运营"],
    "moments": ["云计算 ", "entropy ", "réseaux ", "熵"],
}
"""“运营” and the mixture of two languages find nothing, which must not cost more."""
NAMES: Final = tuple(
    f"search.{name}{kind}"
    for name in ("median_ms", "server_ms")
    for kind in ("", *(f".{one}" for one in ASKED))
)


@dataclass(slots=True)
class Times:
    """Milliseconds, by kind of query."""

    waited: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in ASKED})
    server: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in ASKED})
    lookup: list[float] = field(default_factory=list)


@benchmark(*NAMES)
def search() -> Iterable[Result]:
    warm_up()
    with (
        tempfile.TemporaryDirectory(prefix="academy-bench-") as folder,
        EmbeddedMongo(Path(folder)) as mongo,
    ):
        times = asyncio.run(_measure(mongo.url))
    yield from _results("search.median_ms", times.waited, statistics.median(times.lookup))
    yield from _results("search.server_ms", times.server, ALLOWED)


def _results(name: str, times: dict[str, list[float]], reference: float) -> Iterable[Result]:
    everything = [one for found in times.values() for one in found]
    yield Result.of(name, statistics.median(everything), "ms", reference)
    for kind, found in times.items():
        yield Result.of(f"{name}.{kind}", statistics.median(found), "ms", reference)


async def _measure(url: str) -> Times:
    stores = await MongoStores.open(url, DATABASE)
    try:
        await asyncio.to_thread(data.load, url, DATABASE)
        await search_index.fill(stores, url, DATABASE)
        return await _rounds(stores)
    finally:
        await stores.close()


async def _rounds(stores: MongoStores) -> Times:
    times = Times()
    generation = await stores.search.generations.serving()
    assert generation is not None
    assert await generation.moments.estimated_document_count() == 200_000
    anything = await generation.entries.find_one()
    assert anything is not None
    for _ in range(ROUNDS):
        for kind, queries in ASKED.items():
            for text in queries:
                kinds = (Kind.MOMENT,) if kind == "moments" else tuple(Kind)
                query = parse(text)
                spent, begun = await _spent_reading(stores), time.perf_counter()
                page = await stores.search.find(query, kinds=kinds, limit=PAGE)
                times.waited[kind].append((time.perf_counter() - begun) * 1000)
                times.server[kind].append(await _spent_reading(stores) - spent)
                if kind in {"common", "moments"}:
                    assert len(page.items) == PAGE, text
                elif kind == "rare":
                    assert page.items, text
        begun = time.perf_counter()
        found = await generation.entries.find_one({"_id": anything["_id"]})
        times.lookup.append((time.perf_counter() - begun) * 1000)
        assert found == anything
    return times


async def _spent_reading(stores: MongoStores) -> float:
    """Milliseconds that the server has spent on reads since its start; only ours, since nobody else asks."""
    status = await stores.database.command({"serverStatus": 1, "repl": 0, "metrics": 0, "locks": 0})
    microseconds: int = status["opLatencies"]["reads"]["latency"]
    return microseconds / 1000
