"""A two-hour lecture on 1, 8, 32 and 128 encoders: simulated from chunk times measured here and now.

Measured: what a chunk costs per segment and what it costs to begin one (by encoding short and longer
ones), what Dask takes per task, what planning takes. Simulated: the real chunk plan, handed out in the
viewer's order as `schedule.py` does, with encoders that differ, straggle (and are helped) and are killed.
The ratio is wall time over perfect sharing: 1 / efficiency.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from academy.media import Chunk, Grid, MediaPlan
from academy.recordings import Inspection, Ratio
from bench.registry import Result, benchmark
from bench.transcode_lecture import lecture
from transcoding import binary, profiles
from transcoding.chunks import plan_chunks
from transcoding.directory import SOURCE_KEY, DirectoryLedger, DirectoryStore
from transcoding.encode import encode_chunk
from transcoding.engine import open_engine
from transcoding.planning import Planner
from transcoding.schedule import STRAGGLING
from transcoding.tasks import Outcome, Task, TaskKind
from transcoding.tasks import Result as Encoded

HOURS: Final = 2
ENCODERS: Final = (1, 8, 32, 128)
RUNS: Final = 20
SECONDS: Final = 20.0
SPREAD: Final = 0.1
"""Standard deviation of encoders' speeds."""
STRAGGLERS: Final = 0.02
"""Of executions, which take three times as long."""
KILLS_PER_HOUR: Final = 0.5
"""Of each encoder; another one is there after half a minute."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds."""

    segment: float
    begin: float
    task: float
    plan: float


@benchmark(*(f"transcode.scaling.{encoders}" for encoders in ENCODERS))
def scaling() -> Iterable[Result]:
    measured = asyncio.run(_measure())
    print(
        f"  a segment {measured.segment:.2f} s, beginning a chunk {measured.begin:.2f} s, "
        f"a Dask task {1000 * measured.task:.1f} ms, planning {measured.plan:.1f} s",
        file=sys.stderr,
    )
    grid = Grid(frame_rate=Ratio(num=30), segment_frames=120, frames=HOURS * 3600 * 30)
    work = grid.segment_count * measured.segment
    for encoders in ENCODERS:
        walls = [simulate(grid, encoders, measured, random.Random(run)) for run in range(RUNS)]
        wall, ideal = statistics.median(walls), work / encoders
        efficiency = 100 * ideal / wall
        print(f"  {encoders} encoders: efficiency {efficiency:.0f} %", file=sys.stderr)
        yield Result.of(f"transcode.scaling.{encoders}", wall, "s wall", ideal)


def simulate(grid: Grid, encoders: int, measured: Measured, dice: random.Random) -> float:
    """Wall seconds until the last chunk is encoded."""
    speeds = [max(0.5, dice.gauss(1.0, SPREAD)) for _ in range(encoders)]
    free = [(measured.plan, number) for number in range(encoders)]
    handed = end = measured.plan
    for chunk in plan_chunks(grid, slots=encoders):
        at, encoder = heapq.heappop(free)
        handed = max(handed + measured.task, at)  # one dispatcher hands out one after another
        done = handed + _execution(chunk, speeds[encoder], measured, dice)
        heapq.heappush(free, (done, encoder))
        end = max(end, done)
    return end


def _execution(chunk: Chunk, speed: float, measured: Measured, dice: random.Random) -> float:
    usual = measured.begin + chunk.segments * measured.segment / speed
    spent = usual
    if dice.random() < STRAGGLERS:
        # Noticed after `STRAGGLING` times the usual time; the helper does what is not recorded then.
        spent = min(3 * usual, STRAGGLING * usual + measured.begin + (1 - STRAGGLING / 3) * usual)
    if dice.random() < KILLS_PER_HOUR * spent / 3600:
        # What was recorded stays; on average half a segment is lost.
        spent += measured.begin + measured.segment / 2
    return spent


async def _measure() -> Measured:
    program = binary.find()
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        folder = Path(place)
        source = lecture(folder, program.path, SECONDS)
        began = time.monotonic()
        planner = Planner(DirectoryStore(folder, source), SOURCE_KEY, program)
        inspection = await planner.inspection(source.name)
        plan = await planner.plan(inspection, profiles.load())
        planning = time.monotonic() - began
        one = await asyncio.to_thread(_encode, folder / "one", source, plan, inspection, 1)
        four = await asyncio.to_thread(_encode, folder / "four", source, plan, inspection, 4)
    async with open_engine(workers=2) as engine:
        began = time.monotonic()
        count = 200
        for number in range(count):
            await engine.run(_nothing, {}, key=("nothing", number, 0, 0), priority=0)
        task = (time.monotonic() - began) / count
    segment = (four - one) / 3
    return Measured(segment, max(0.0, one - segment), task, planning)


def _encode(
    out: Path, source: Path, plan: MediaPlan, inspection: Inspection, segments: int
) -> float:
    """Seconds for a chunk of so many segments, from segment 1 on."""
    ledger = DirectoryLedger(out, source, "default")
    task = Task(
        kind=TaskKind.VIDEO,
        media_id="m",
        workspace=ledger.reference,
        source_key=SOURCE_KEY,
        plan=plan,
        inspection=inspection,
        chunk=Chunk(index=0, first_segment=1, segments=segments),
        attempt=1,
    )
    began = time.monotonic()
    result = Encoded.model_validate(encode_chunk(task.model_dump(mode="json")))
    if result.outcome is not Outcome.DONE:
        raise RuntimeError(result.message)
    return time.monotonic() - began


def _nothing(task: dict[str, Any]) -> dict[str, Any]:
    return task
