"""What the simulation of many encoders is driven by, measured here and now on a generated lecture.

CPU seconds, which a busy machine hardly changes, wherever something computes; wall time only for what waits: the
store (a real S3 server), the database (a real MongoDB), Dask (over TLS). Planning and publishing count
with the lower of both: on an idle machine the wall time, on a busy one what a single core would take. About
two minutes on two idle cores.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from academy.embedded import EmbeddedMongo
from academy.jobs import Progress
from academy.media import Chunk, Grid, MediaPlan, Receipt
from academy.mongo.client import close_worker_clients
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from academy.recordings import Inspection
from academy.settings import Settings
from academy.storage.s3 import S3Storage
from bench.transcode_lecture import lecture, looped
from tests.certificates import make_certificates
from tests.fixtures_storage import running_swift
from tests.journeys.dask_cluster import Cluster
from transcoding import binary, profiles
from transcoding.binary import FFmpeg
from transcoding.chunks import plan_chunks
from transcoding.directory import SOURCE_KEY, DirectoryLedger, DirectoryStore
from transcoding.encode import encode_chunk
from transcoding.engine import EngineLost, open_engine
from transcoding.local import transcode_file
from transcoding.passes import later_rungs
from transcoding.planning import Planner, inspected
from transcoding.tasks import Outcome, Task, TaskKind
from transcoding.tasks import Result as Encoded

DRAWN: Final = 30.0
EVERY: Final = 10.0
"""Seconds from one bullet or slide to the next."""
AGAIN: Final = 6
"""Times that the same chunk is encoded, for the spread."""
STORED: Final = 20
"""Segments that are stored and recorded, for the median."""
TASKS: Final = 100
STILL, LONGER, BRIEF = 48.0, 144.0, 32.0
"""Seconds of the recordings whose publication is timed."""
CHEAP: Final = """
cheap:
  segment_seconds: 4
  sampling: false
  video:
    - {size: 720, crf: 30, max_rate: 2500000, buffer: 5000000, preset: ultrafast, level: "3.1"}
"""
"""Publication looks at the smallest rung: how it was encoded does not matter."""

Rungs = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """One pass. Seconds of one core."""

    begin: float
    """To begin a chunk: a process, a seek, decoding from the keyframe before."""
    segments: tuple[float, ...]
    """Each of several."""

    @property
    def segment(self) -> float:
        return statistics.mean(self.segments)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds."""

    works: Mapping[Rungs, Work]
    passes: Callable[[int], Sequence[Rungs]]
    """By encoders: the rungs of each pass."""
    spread: tuple[float, ...]
    """The same chunk again and again, over the mean of it."""
    idle: float
    """Of a chunk, in which its core waits: for processes to start and for what is polled."""
    stored: float
    """To store and record the last segment of a chunk: earlier ones go up beside the encoding."""
    known: float
    """To read one receipt, which each chunk does for all there are."""
    handing: float
    """Of the dispatcher, per task."""
    latency: float
    """From handing a task out to its beginning, and from its end to the dispatcher's knowing."""
    plan: float
    publish: float
    """Whatever the length."""
    quick: float
    """More, for each segment."""
    close: float
    """More, for each segment in which a slide changes: it is looked at closely."""


def measure(two_hours: Grid) -> Measured:
    program = binary.find()
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        folder = Path(place)
        source = lecture(folder, program.path, DRAWN, every=EVERY)
        timer = _Timer()
        planner = Planner(DirectoryStore(folder, source), SOURCE_KEY, program)
        inspection, plan = asyncio.run(_planned(planner, source.name))
        planning = timer.lower()
        encoder = _Encoder(folder, source, plan, inspection)

        def passes(encoders: int) -> list[Rungs]:
            later = tuple(later_rungs(plan.video, encoders))
            first = tuple(rung.id for rung in plan.video if rung.id not in later)
            return [first, later] if later else [first]

        sets = {rungs for encoders in (1, 2) for rungs in passes(encoders)}
        works = {rungs: encoder.work(rungs) for rungs in sorted(sets)}
        again = [encoder.chunk(1, 1, passes(2)[0]) for _ in range(AGAIN)]
        mean = statistics.mean(cpu for cpu, _ in again)
        stored, known = _storing(folder, encoder.bytes_of_a_segment(), len(plan.tracks))
        handing, latency = _handing(folder, encoder.task(0, 1, None), two_hours)
        publish, quick, close = _publishing(folder, source, program.path)
        return Measured(
            works=works,
            passes=passes,
            spread=tuple(cpu / mean for cpu, _ in again),
            idle=_idle(folder, source, program),
            stored=stored,
            known=known,
            handing=handing,
            latency=latency,
            plan=planning,
            publish=publish,
            quick=quick,
            close=close,
        )


async def _planned(planner: Planner, name: str) -> tuple[Inspection, MediaPlan]:
    inspection = await inspected(planner.storage, planner.source_key, name)
    return inspection, await planner.plan(inspection, profiles.load())


class _Timer:
    """Of this process and its children that have ended, from now on."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), sum(os.times()[:4])

    def wall(self) -> float:
        return time.monotonic() - self._began

    def cpu(self) -> float:
        return sum(os.times()[:4]) - self._before

    def lower(self) -> float:
        return min(self.wall(), self.cpu())


def _idle(folder: Path, source: Path, program: FFmpeg) -> float:
    """Seconds in which a chunk's core waits, from chunks that cost next to nothing: the least of several."""
    tiny = folder / "tiny.mp4"
    small = ["-vf", "scale=160:90", "-c:v", "libx264", "-preset", "ultrafast", "-an"]
    subprocess.run(
        [program.path, "-v", "error", "-nostdin", "-i", str(source), *small, str(tiny)],
        check=True,
        timeout=120,
    )
    planner = Planner(DirectoryStore(folder, tiny), SOURCE_KEY, program)
    inspection, plan = asyncio.run(_planned(planner, tiny.name))
    encoder = _Encoder(folder / "tiny", tiny, plan, inspection)
    rungs = tuple(rung.id for rung in plan.video)
    again = [encoder.chunk(1, 1, rungs) for _ in range(AGAIN)]
    return max(0.0, min(wall - cpu for cpu, wall in again))


class _Encoder:
    """Chunks of one recording, encoded as tasks do, one after another."""

    def __init__(self, folder: Path, source: Path, plan: MediaPlan, inspection: Inspection) -> None:
        self._folder = folder
        self._source = source
        self._plan = plan
        self._inspection = inspection
        self._runs = 0

    def task(self, first: int, segments: int, rungs: Rungs | None) -> Task:
        self._runs += 1
        ledger = DirectoryLedger(self._folder / f"run-{self._runs}", self._source, "default")
        return Task(
            kind=TaskKind.VIDEO,
            media_id="m",
            workspace=ledger.reference,
            source_key=SOURCE_KEY,
            plan=self._plan,
            inspection=self._inspection,
            chunk=Chunk(index=0, first_segment=first, segments=segments),
            rungs=rungs,
            attempt=1,
        )

    def chunk(self, first: int, segments: int, rungs: Rungs) -> tuple[float, float]:
        """Seconds of CPU, and of wall time."""
        task = self.task(first, segments, rungs).model_dump(mode="json")
        timer = _Timer()
        result = Encoded.model_validate(encode_chunk(task))
        if result.outcome is not Outcome.DONE:
            raise RuntimeError(result.message)
        return timer.cpu(), timer.wall()

    def work(self, rungs: Rungs) -> Work:
        """Four segments one by one and all at once: what is more is four beginnings."""
        numbers = range(1, 5)
        single = [self.chunk(number, 1, rungs)[0] for number in numbers]
        together = self.chunk(numbers[0], len(numbers), rungs)[0]
        begin = max(0.0, (sum(single) - together) / (len(numbers) - 1))
        return Work(begin, tuple(cpu - begin for cpu in single))

    def bytes_of_a_segment(self) -> int:
        sizes = [path.stat().st_size for path in self._folder.glob("run-*/v*/*.m4s")]
        return round(statistics.mean(sizes))


def _storing(folder: Path, size: int, tracks: int) -> tuple[float, float]:
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
        for _ in range(AGAIN):
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


def _handing(folder: Path, task: Task, two_hours: Grid) -> tuple[float, float]:
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


def _publishing(folder: Path, source: Path, ffmpeg: str) -> tuple[float, float, float]:
    """Seconds whatever the length, for each segment that is looked at once for pictures and chapters, and
    for each that is looked at closely besides, since a slide changes in it.
    """
    (folder / "cheap.yaml").write_text(CHEAP)
    # Before the first change: in a recording that repeats this nothing but the speaker moves.
    still = folder / "still.mp4"
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", str(source), "-t", str(EVERY - 2)]
    subprocess.run([*command, "-c", "copy", str(still)], check=True, timeout=120)
    short, long = (_published(folder, looped(still, ffmpeg, each)) for each in (STILL, LONGER))
    quick = max(0.0, (long - short) * 4 / (LONGER - STILL))
    base = max(0.0, short - quick * STILL / 4)
    # So short a recording is looked at closely all over.
    close = (_published(folder, looped(source, ffmpeg, BRIEF)) - base) * 4 / BRIEF - quick
    return base, quick, max(0.0, close)


def _published(folder: Path, recording: Path) -> float:
    began: list[_Timer] = []

    def heard(progress: Progress) -> None:
        if progress.stage == "publishing":
            began.append(_Timer())

    out, profile = folder / f"of-{recording.stem}", str(folder / "cheap.yaml")
    asyncio.run(transcode_file(recording, out, profile=profile, on_progress=heard))
    return began[0].lower()
