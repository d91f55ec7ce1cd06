"""What a learner's heartbeat costs the API's process, gathered and written together, through HTTP.

The reference is the same application with a FastAPI route that writes each heartbeat when it arrives; a second
one also goes around FastAPI as ours does, so that gathering alone is seen. All take the same reports
of as many learners, in interleaved rounds; what was kept is checked against what was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from academy import tokens
from academy.courses import now
from academy.embedded import EmbeddedMongo
from academy.keys import KeyRing
from academy.mongo.stores import MongoStores
from academy.people import Role
from bench.api_servers import Client, Server, serving
from bench.registry import Result, benchmark
from tests.documents import a_course, a_lecture

SECRET: Final = "a secret of the benchmarks, thirty-two characters"  # noqa: S105
LEARNERS: Final = 1_500
ROUNDS: Final = 5
CLIENTS: Final = 8
CONNECTIONS: Final = 64
"""Of each client. A heartbeat is answered when it is written, a quarter of a second later, and learners never wait
for one another: what is on its way at the same time is what is written together.
"""
EVERY: Final = 12.0
"""Seconds between two reports of a learner."""
UNIT: Final = "heartbeats/CPU s"


WAYS: Final = {
    "ours": "bench.api_process:academy",
    "each": "bench.learning_process:one_write_each",
    "each_short": "bench.learning_process:one_write_each_short_way",
}


@benchmark("learning.heartbeat_vs_one_write_each", "learning.heartbeat_vs_one_write_each.same_way")
def heartbeats() -> Iterable[Result]:
    """Heartbeats per second of the API's CPU: also what one core holds. A ratio of 3 or more is wanted."""
    with (
        tempfile.TemporaryDirectory(prefix="academy-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedMongo(Path(folder) / "mongo") as mongo,
    ):
        rates: dict[str, list[float]] = {name: [] for name in WAYS}
        with contextlib.ExitStack() as stack:
            servers: dict[str, Server] = {}
            lectures: dict[str, str] = {}
            for name, target in WAYS.items():
                lectures[name] = asyncio.run(_lecture(mongo.url, name))
                environment = {
                    "ACADEMY_MONGODB_URL": mongo.url,
                    "ACADEMY_MONGODB_DATABASE": name,
                    "ACADEMY_STORAGE_URL": f"file://{folder}/objects",
                    "ACADEMY_SECRET_KEY": SECRET,
                }
                servers[name] = stack.enter_context(serving(target, **environment))
            bearers = [_bearer(number) for number in range(LEARNERS)]
            for turn in range(ROUNDS + 1):
                names = list(WAYS) if turn % 2 else list(WAYS)[::-1]
                for name in names:
                    sent = [_report(lectures[name], bearer, turn) for bearer in bearers]
                    rate = _rate(servers[name], sent)
                    if turn:  # the first fills caches and makes the documents
                        rates[name].append(rate)
        for name, lecture in lectures.items():
            _check(mongo.url, name, lecture)
        ours, each, short = (statistics.median(rates[name]) for name in WAYS)
        name = "learning.heartbeat_vs_one_write_each"
        yield Result.of(name, ours, UNIT, each)
        yield Result.of(f"{name}.same_way", ours, UNIT, short)


def _rate(server: Server, sent: list[bytes]) -> float:
    clients = [Client(server, CONNECTIONS) for _ in range(CLIENTS)]
    for client in clients:
        client.open()
    time.sleep(0.3)  # until they are taken
    before = server.cpu()
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [sent[first::CLIENTS] for first in range(CLIENTS)]
        list(pool.map(lambda client, share: client.ask(share, 204), clients, shares))
    time.sleep(0.6)  # until what was gathered is written
    return len(sent) / (server.cpu() - before)


async def _lecture(url: str, database: str) -> str:
    stores = await MongoStores.open(url, database)
    course = a_course(published_at=now())
    await stores.courses.add(course)
    lecture = await stores.courses.add_lecture(
        a_lecture(course.slug, published=True, duration=3600.0)
    )
    await stores.close()
    return lecture.id


def _bearer(number: int) -> str:
    return tokens.issue(KeyRing(SECRET), Role.LEARNER, f"learner-{number}", 86_400)


def _report(lecture: str, bearer: str, turn: int) -> bytes:
    """As the portal sends them: everything since the page was opened, which a jump split in two."""
    upto = (turn + 1) * EVERY
    watched = [[0.0, min(upto, 20.0)]] + ([[600.0, 600.0 + upto - 20.0]] if upto > 20 else [])
    report = {"position": upto, "watched": watched, "session": bearer[-16:], "sequence": turn}
    body = json.dumps(report).encode()
    head = (
        f"PUT /v1/me/progress/{lecture} HTTP/1.1\r\nHost: academy.test\r\n"
        f"Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _check(url: str, database: str, lecture: str) -> None:
    upto = (ROUNDS + 1) * EVERY
    with MongoClient[dict[str, Any]](url) as client:
        kept = list(client[database].progress.find({"lecture": lecture}))
    assert len(kept) == LEARNERS, f"{len(kept)} of {LEARNERS} were kept"
    for document in kept:
        assert document["watched"] == [[0.0, 20.0], [600.0, 580.0 + upto]], document
        assert document["position"] == upto, document
