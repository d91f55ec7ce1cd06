"""CPU seconds of chunks, and what a core waits while it encodes one."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from academy.media import Chunk, MediaPlan
from academy.recordings import Inspection
from transcoding import profiles
from transcoding.binary import FFmpeg
from transcoding.directory import SOURCE_KEY, DirectoryLedger, DirectoryStore
from transcoding.encode import encode_chunk
from transcoding.planning import Planner, inspected
from transcoding.tasks import Outcome, Task, TaskKind
from transcoding.tasks import Result as Encoded

AGAIN: Final = 6
"""Times that the same chunk is encoded, for the spread."""

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


class Timer:
    """Of this process and its children that have ended, from now on."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), sum(os.times()[:4])

    def wall(self) -> float:
        return time.monotonic() - self._began

    def cpu(self) -> float:
        return sum(os.times()[:4]) - self._before

    def lower(self) -> float:
        return min(self.wall(), self.cpu())


async def planned(planner: Planner, name: str) -> tuple[Inspection, MediaPlan]:
    inspection = await inspected(planner.storage, planner.source_key, name)
    return inspection, await planner.plan(inspection, profiles.load())


class Encoder:
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
        timer = Timer()
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


def idle(folder: Path, source: Path, program: FFmpeg) -> float:
    """Seconds in which a chunk's core waits, from chunks that cost next to nothing: the least of several."""
    tiny = folder / "tiny.mp4"
    small = ["-vf", "scale=160:90", "-c:v", "libx264", "-preset", "ultrafast", "-an"]
    subprocess.run(
        [program.path, "-v", "error", "-nostdin", "-i", str(source), *small, str(tiny)],
        check=True,
        timeout=120,
    )
    planner = Planner(DirectoryStore(folder, tiny), SOURCE_KEY, program)
    inspection, plan = asyncio.run(planned(planner, tiny.name))
    encoder = Encoder(folder / "tiny", tiny, plan, inspection)
    rungs = tuple(rung.id for rung in plan.video)
    again = [encoder.chunk(1, 1, rungs) for _ in range(AGAIN)]
    return max(0.0, min(wall - cpu for cpu, wall in again))
