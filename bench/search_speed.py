"""How long a search takes at the database: 2,000 courses, 20,000 lectures, 200,000 captions.

The reference is one `find_one` by `_id` on the same index, in the same round: about what one trip to the
database costs on this machine. A page of twenty hits takes two to six such trips, and the hits are
checked against the catalogue within the time measured.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pymongo import InsertOne

from academy.embedded import EmbeddedMongo
from academy.mongo.client import plain
from academy.mongo.search.refresh import TRANSCRIPTS
from academy.mongo.stores import MongoStores
from academy.search.entries import Cue, Kind, Transcript
from academy.search.query import parse
from academy.search.words import warm_up
from bench import catalogue_data as data
from bench.registry import Result, benchmark

ROUNDS: Final = 31
PAGE: Final = 20
ASKED: Final[dict[str, Sequence[str]]] = {
    "rare": [f"{word} " for word in data.RARE.values()],
    "common": [f"{word} " for word in data.COMMON.values()],
    "two": ["介绍 云计算 ", "lecture entropy ", "cours réseaux ", "cloud 线性代数 "],
    "typed": ["c", "lect", "infor", "云计", "运营"],
    "moments": ["云计算 ", "entropy ", "réseaux ", "熵"],
}
"""“运营” and the mixture of two languages find nothing, which must not cost more."""
NAMES: Final = ("search.median_ms", *(f"search.median_ms.{kind}" for kind in ASKED))


@dataclass(slots=True)
class Times:
    """Milliseconds."""

    search: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in ASKED})
    lookup: list[float] = field(default_factory=list)


@benchmark(*NAMES)
def search() -> Iterable[Result]:
    warm_up()
    with (
        tempfile.TemporaryDirectory(prefix="academy-bench-") as folder,
        EmbeddedMongo(Path(folder)) as mongo,
    ):
        times = asyncio.run(_measure(mongo.url))
    reference = statistics.median(times.lookup)
    everything = [one for found in times.search.values() for one in found]
    yield Result.of("search.median_ms", statistics.median(everything), "ms", reference)
    for kind, found in times.search.items():
        yield Result.of(f"search.median_ms.{kind}", statistics.median(found), "ms", reference)


async def _measure(url: str) -> Times:
    stores = await MongoStores.open(url, "bench")
    try:
        data.load(url, "bench")
        await _speak(stores)
        await stores.search.new_build().run()
        return await _rounds(stores)
    finally:
        await stores.close()


async def _rounds(stores: MongoStores) -> Times:
    times = Times()
    generation = await stores.search.generations.serving()
    assert generation is not None
    anything = await generation.entries.find_one()
    assert anything is not None
    for _ in range(ROUNDS):
        for kind, queries in ASKED.items():
            for text in queries:
                kinds = (Kind.MOMENT,) if kind == "moments" else tuple(Kind)
                query = parse(text)
                begun = time.perf_counter()
                page = await stores.search.find(query, kinds=kinds, limit=PAGE)
                times.search[kind].append((time.perf_counter() - begun) * 1000)
                if kind in {"common", "moments"}:
                    assert len(page.items) == PAGE, text
                elif kind == "rare":
                    assert page.items, text
        begun = time.perf_counter()
        found = await generation.entries.find_one({"_id": anything["_id"]})
        times.lookup.append((time.perf_counter() - begun) * 1000)
        assert found == anything
    return times


async def _speak(stores: MongoStores) -> None:
    writes: list[Any] = []
    for lecture_id, spoken in groupby(data.cues(), key=lambda cue: cue.lecture_id):
        cues = list(spoken)
        transcript = Transcript(
            lecture_id=lecture_id,
            language=cues[0].language,
            cues=[Cue(start=cue.start, end=cue.end, text=cue.text) for cue in cues],
            revision="1",
        )
        key = f"{lecture_id}:{transcript.language}"
        writes.append(InsertOne({"_id": key, **plain(transcript)}))
        if len(writes) == data.BATCH:
            await stores.database[TRANSCRIPTS].bulk_write(writes, ordered=False)
            writes.clear()
    if writes:
        await stores.database[TRANSCRIPTS].bulk_write(writes, ordered=False)
