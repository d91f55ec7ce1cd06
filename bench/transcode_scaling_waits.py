"""What chunks wait for: the store and the database, and Dask. Wall time, but for the dispatcher's own."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from academy.embedded import EmbeddedMongo
from academy.media import Grid, Receipt
from academy.mongo.client import close_worker_clients
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from academy.settings import Settings
from academy.storage.s3 import S3Storage
from tests.certificates import make_certificates
from tests.fixtures_storage import running_swift
from tests.journeys.dask_cluster import Cluster
from transcoding.chunks import plan_chunks
from transcoding.engine import EngineLost, open_engine
from transcoding.tasks import Task

STORED: Final = 20
"""Segments that are stored and recorded, for the median."""
TASKS: Final = 100
READS: Final = 6


def storing(folder: Path, size: int, tracks: int) -> tuple[float, float]:
    """Seconds to store and record one segment of all tracks, and to read one receipt."""
    (folder / "mongo").mkdir()
    (folder / "swift").mkdir()
    with (
        EmbeddedMongo(folder / "mongo") as mongo,
        running_swift(folder / "swift") as s3,
    ):
        storage = S3Storage(s3.new_bucket(), "academy", s3.connection)
        asyncio.run(_indexed(mongo.url))
        with MongoClient[dict[str, Any]](mongo.url) as client:
            client.bench.jobs.insert_one(
                {
                    "_id": "job",
                    "state": "running",
                    "media_id": "m",
                    "lease": {"token": "t", "expires_at": datetime.now(UTC) + timedelta(hours=1)},
                }
            )
        journal = MongoJournal(mongo.url, "bench", media_id="m", job_id="job", token="t")  # noqa: S106
        waits = []
        for number in range(1, STORED + 1):
            receipts = [_receipt(track, number, size) for track in range(tracks)]
            began = time.monotonic()
            # All tracks' parts of a segment go up side by side: the slowest counts, which is one.
            storage.put(receipts[0].name, bytes(size), content_type="video/mp4")
            journal.record(receipts)
            waits.append(time.monotonic() - began)
        more = range(STORED + 1, 1001)
        journal.record([_receipt(track, number, size) for track in range(2) for number in more])
        reads = []
        for _ in range(READS):
            began = time.monotonic()
            found = len(journal.receipts())
            reads.append((time.monotonic() - began) / found)
        close_worker_clients()
    return statistics.median(waits), min(reads)


async def _indexed(url: str) -> None:
    stores = await MongoStores.open(url, "bench")
    await stores.close()


def _receipt(track: int, number: int, size: int) -> Receipt:
    return Receipt(
        track=f"v{track}",
        number=number,
        name=f"v{track}/{number}-1.m4s",
        bytes=size,
        start=360_000 * number,
        duration=360_000,
        units=120,
    )


def handing(folder: Path, task: Task, two_hours: Grid) -> tuple[float, float]:
    """The dispatcher's seconds per task, and a task's way there and back, over TLS; each with the whole
    plan of two hours, as tasks have.
    """
    plan = task.plan.model_copy(update={"chunks": plan_chunks(two_hours, slots=128)})
    real = task.model_copy(update={"plan": plan})
    certificates = make_certificates(folder)
    with ExitStack() as stack:
        cluster = Cluster(folder, certificates, stack)
        cluster.add_worker(dict(os.environ))
        settings = Settings.load().model_copy(
            update={
                "dask_scheduler": cluster.address,
                "dask_tls_ca": certificates.ca,
                "dask_tls_cert": certificates.certificate,
                "dask_tls_key": certificates.key,
            }
        )
        return asyncio.run(_handed(settings, real))


async def _handed(settings: Settings, task: Task) -> tuple[float, float]:
    waits: list[float] = []
    async with open_engine(settings) as engine:

        async def hand(number: int) -> None:
            key = ("nothing", number, 0, 0)
            await engine.run(_nothing, task.model_dump(mode="json"), key=key, priority=0)

        async with asyncio.timeout(120):
            while True:
                try:
                    if await engine.slots():
                        break
                except EngineLost:
                    pass
                await asyncio.sleep(0.2)
        for number in range(TASKS):
            began = time.monotonic()
            await hand(number)
            waits.append(time.monotonic() - began)
        before = time.process_time()
        await asyncio.gather(*(hand(TASKS + number) for number in range(TASKS)))
        handing = (time.process_time() - before) / TASKS
    return handing, statistics.median(waits)


def _nothing(task: dict[str, Any]) -> dict[str, Any]:
    """What a worker does with a task before it encodes."""
    Task.model_validate(task)
    return {}
