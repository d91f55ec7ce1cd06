"""The whole pipeline on local storage against a hand-tuned command, the common way, and the floor.

Interleaved rounds on one generated lecture; what comes out is checked: frames, segments, VMAF.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from academy.media import MediaPlan
from bench import transcode_checks as checks
from bench.registry import Result, benchmark
from bench.rounds import interleaved, median_cpu, median_wall
from bench.transcode_lecture import lecture
from bench.transcode_rivals import LIMIT, Rivals
from transcoding import binary, profiles
from transcoding.binary import FFmpeg
from transcoding.directory import SOURCE_KEY, DirectoryStore
from transcoding.planning import Planner, inspected

SECONDS: Final = 120.0
"""Of the lecture, as short as a lecture may be thought: the pipeline's start counts fully."""
SAME_EYES: Final = 0.3
"""VMAF."""


@benchmark(
    "transcode.vs_single_command",
    "transcode.vs_single_command.cpu",
    "transcode.vs_per_rendition",
    "transcode.vs_floor",
)
def speed() -> Iterable[Result]:
    program = binary.find()
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        folder = Path(place)
        source = lecture(folder, program.path, SECONDS)
        plan = asyncio.run(_plan(source, program))
        rivals = Rivals(program.path, source, plan, folder)
        floors: list[float] = []
        costs = interleaved(
            {
                "pipeline": lambda: pipeline(source, folder / "ours"),
                "single": rivals.single_command,
                "each": rivals.per_rendition,
                "floor": lambda: floors.append(rivals.floor()),
            }
        )
        for name, cost in costs.items():
            _say(f"{name}: wall {[round(c.wall, 1) for c in cost]} s", cost_cpu=median_cpu(cost))
        _say(f"floor: CPU {[round(each, 1) for each in floors]} s")
        _check(program.path, source, plan, rivals, folder / "ours" / "r1")
        ours, single, each = costs["pipeline"], costs["single"], costs["each"]
        yield Result.of(
            "transcode.vs_single_command", median_wall(ours), "s wall", median_wall(single)
        )
        yield Result.of(
            "transcode.vs_single_command.cpu", median_cpu(ours), "s CPU", median_cpu(single)
        )
        yield Result.of(
            "transcode.vs_per_rendition", median_wall(ours), "s wall", median_wall(each)
        )
        yield Result.of("transcode.vs_floor", median_cpu(ours), "s CPU", statistics.median(floors))


def pipeline(source: Path, out: Path) -> None:
    """`academy transcode`, from its start to its end."""
    command = [sys.executable, "-m", "academy.cli", "transcode", str(source), str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT)


async def _plan(source: Path, program: FFmpeg) -> MediaPlan:
    store = DirectoryStore(source.parent, source)
    inspection = await inspected(store, SOURCE_KEY, source.name)
    return await Planner(store, SOURCE_KEY, program).plan(inspection, profiles.load())


def _check(program: str, source: Path, plan: MediaPlan, rivals: Rivals, ours: Path) -> None:
    """Raises where the outputs are not the same lecture."""
    rate = float(plan.grid.frame_rate.fraction)
    for rung in plan.video:
        mine, theirs = ours / f"{rung.id}.m3u8", rivals.playlist(rung)
        if not checks.frames(mine) == checks.frames(theirs) == plan.grid.frames:
            raise AssertionError(f"{rung.id}: {checks.frames(mine)} and {checks.frames(theirs)}")
        starts = [round(float(plan.grid.start(n)), 3) for n in range(plan.grid.segment_count)]
        if checks.boundaries(mine) != starts:
            raise AssertionError(f"{rung.id}: segments begin at {checks.boundaries(mine)}")
        scores = [checks.vmaf(program, each, source, rate=rate) for each in (mine, theirs)]
        _say(f"{rung.id}: VMAF {scores[0]:.2f}, of the single command {scores[1]:.2f}")
        if scores[0] < scores[1] - SAME_EYES:
            raise AssertionError(f"{rung.id}: VMAF {scores[0]:.2f} against {scores[1]:.2f}")


def _say(line: str, *, cost_cpu: float | None = None) -> None:
    cpu = f", median CPU {cost_cpu:.1f} s" if cost_cpu is not None else ""
    print(f"  {line}{cpu}", file=sys.stderr, flush=True)
