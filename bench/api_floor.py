"""What a request costs the API's process, against what it could cost at least.

Real uvicorn processes over one MongoDB with the data set of `catalogue_data.py`; rounds are
interleaved and every answer is checked. Costs are CPU of the serving process, told as requests per
second of CPU, so that a ratio of 1 is the floor itself and less is slower.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import json
import secrets
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

from academy.embedded import EmbeddedMongo
from academy.mongo.search.follower import STATE
from academy.mongo.stores import MongoStores
from bench import catalogue_data
from bench.api_launches import TURNS, WARM_UP, Slices, compared, launched, slices
from bench.api_process import ANSWER
from bench.api_servers import Client, Server, request, serving
from bench.registry import Result, benchmark

DATABASE: Final = "academy_bench"
COURSE: Final = "/v1/courses/course-0003"
LIST: Final = "/v1/courses"
FIRST: Final = f"{LIST}/course-0000"
"""Not among those that are asked for anew."""
GZIP: Final = {"Accept-Encoding": "gzip"}
HITS: Final = 800
"""Requests of a slice."""
MISSES: Final = 100
PAGE: Final = 1_000
PAGE_SIZE: Final = 2


@dataclass(frozen=True, slots=True)
class Installation:
    environment: dict[str, str]
    folder: Path


@cache
def installation() -> Installation:
    """A MongoDB with the data set, and what a process needs to use it: one for all that is measured here."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(_installed())


@contextlib.contextmanager
def _installed() -> Iterator[Installation]:
    with (
        tempfile.TemporaryDirectory(prefix="academy-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedMongo(Path(name) / "mongo") as mongo,
    ):
        folder = Path(name)
        asyncio.run(_prepare(mongo.url))
        catalogue_data.load(mongo.url, DATABASE)
        yield Installation(
            {
                "ACADEMY_MONGODB_URL": mongo.url,
                "ACADEMY_MONGODB_DATABASE": DATABASE,
                "ACADEMY_STORAGE_URL": f"file://{folder}/objects",
                "ACADEMY_SECRET_KEY": secrets.token_hex(32),
                "ACADEMY_RATE_LIMIT_READS": "1000000/second",
            },
            folder,
        )


async def _prepare(url: str) -> None:
    """Indexes and collections, made as every process makes them. One of a deployment's processes keeps
    the search index; it is none of those measured, or building the index would be measured.
    """
    stores = await MongoStores.open(url, DATABASE)
    lease = {"owner": "another process", "until": datetime(9999, 1, 1, tzinfo=UTC)}
    await stores.database.search_state.insert_one({"_id": STATE, **lease})
    await stores.close()


@benchmark(
    "api.hit_vs_bare.course_detail", "api.hit_vs_bare.course_list", "api.not_modified_vs_bare"
)
def hits() -> Iterable[Result]:
    """Kept answers (gzip, as browsers ask) against a bare uvicorn ASGI application that answers the
    same bytes and headers. The 304 of the course is compared with the bare application's 200.
    """
    launches = launched(partial(_hits, installation()))
    for name, ours, floor in (
        ("hit_vs_bare.course_detail", "detail", "bare detail"),
        ("hit_vs_bare.course_list", "list", "bare list"),
        ("not_modified_vs_bare", "unchanged", "bare detail"),
    ):
        yield compared(f"api.{name}", launches, count=HITS, ours=ours, floor=floor)


def _hits(made: Installation) -> Slices:
    with (
        academy(made) as (ours, client),
        bare(made, client, COURSE) as (floor, other),
        bare(made, client, LIST) as (floor_of_lists, another),
    ):
        detail, courses = [request(COURSE, **GZIP)] * HITS, [request(LIST, **GZIP)] * HITS
        known = [request(COURSE, **GZIP, If_None_Match=_etag(client, COURSE))] * HITS
        return slices(
            {
                "detail": (ours, partial(client.ask, detail)),
                "bare detail": (floor, partial(other.ask, detail)),
                "list": (ours, partial(client.ask, courses)),
                "bare list": (floor_of_lists, partial(another.ask, courses)),
                "unchanged": (ours, partial(client.ask, known, 304)),
            },
            lambda: _fills(client),
        )


@benchmark("api.miss_vs_floor")
def misses() -> Iterable[Result]:
    """Answers that have to be made (course details), against a FastAPI route with its answer ready that
    makes the same driver call: what routing and the driver cost anybody.
    """
    launches = launched(partial(_misses, installation()))
    yield compared("api.miss_vs_floor", launches, count=MISSES, ours="ours", floor="floor")


def _misses(made: Installation) -> Slices:
    with academy(made) as (ours, client), prebuilt(made, client, FIRST) as (floor, other):

        def asked() -> Iterator[list[bytes]]:
            """Courses that nobody has asked for yet."""
            numbers = itertools.count(1)
            while True:
                batch = itertools.islice(numbers, MISSES)
                yield [request(f"{LIST}/course-{each:04}", Accept_Language="en") for each in batch]

        ours_next, floors_next, before = asked(), asked(), _fills(client)
        seconds = slices(
            {
                "ours": (ours, lambda: client.ask(next(ours_next))),
                "floor": (floor, lambda: other.ask(next(floors_next))),
            }
        )
        assert _fills(client) - before == MISSES * (TURNS + WARM_UP)
        return seconds


@benchmark("api.page_1000_vs_page_1")
def pages() -> Iterable[Result]:
    """Median milliseconds of page 1,000 of the courses (two on each) against page 1, both made anew each
    time, the database's time included.
    """
    made = installation()
    with academy(made) as (_, client):
        path, tongues = f"{LIST}?limit={PAGE_SIZE}", _tongues()
        deep = path
        for _ in range(PAGE - 1):
            cursor = json.loads(client.one(request(deep))[1])["next_cursor"]
            deep = f"{path}&cursor={cursor}"
        assert len(json.loads(client.one(request(deep))[1])["items"]) == PAGE_SIZE
        seconds: dict[str, list[float]] = {path: [], deep: []}
        for _ in range(200):
            tongue = next(tongues)
            for each in (path, deep):
                seconds[each] += client.ask([request(each, Accept_Language=tongue)])
        first, last = (statistics.median(seconds[each]) * 1e3 for each in (path, deep))
        yield Result.of("api.page_1000_vs_page_1", last, "ms", first)


@contextlib.contextmanager
def academy(made: Installation) -> Iterator[tuple[Server, Client]]:
    with serving("bench.api_process:academy", **made.environment) as server:
        yield server, Client(server)


@contextlib.contextmanager
def bare(made: Installation, client: Client, path: str) -> Iterator[tuple[Server, Client]]:
    """The floor of a hit, answering what `path` answers."""
    lines, body = _kept(made, client, path)
    with serving("bench.api_process:bare", **_with_answer(made)) as server:
        other = Client(server)
        again, same = other.one(request(path, **GZIP))
        assert (_undated(again), same) == (_undated(lines), body)
        yield server, other


@contextlib.contextmanager
def prebuilt(made: Installation, client: Client, path: str) -> Iterator[tuple[Server, Client]]:
    """The floor of a miss, with the answer of `path` ready."""
    _kept(made, client, path)
    with serving("bench.api_process:prebuilt", **_with_answer(made)) as server:
        yield server, Client(server)


def _kept(made: Installation, client: Client, path: str) -> tuple[list[bytes], bytes]:
    """What `path` answers once it is kept, put where a floor reads it when it starts."""
    client.one(request(path, **GZIP))
    lines, body = client.one(request(path, **GZIP))
    (made.folder / "answer").write_bytes(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    return lines, body


def _with_answer(made: Installation) -> dict[str, str]:
    return {**made.environment, ANSWER: str(made.folder / "answer")}


def _etag(client: Client, path: str) -> str:
    lines, _ = client.one(request(path, **GZIP))
    return next(line for line in lines if line.startswith(b"etag: ")).decode()[6:]


def _undated(lines: list[bytes]) -> list[bytes]:
    return sorted(line for line in lines if not line.startswith(b"date: "))


def _fills(client: Client) -> int:
    _, body = client.one(request("/metrics"))
    name = b"academy_response_cache_fills_total "
    return int(
        float(next(line for line in body.split(b"\n") if line.startswith(name))[len(name) :])
    )


def _tongues() -> Iterator[str]:
    """English, and then one of private use (ISO 639-2 `qaa` to `qtz`): each a key that nobody has."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return (f"en, q{a}{b}" for a, b in itertools.product(letters[:20], letters))
