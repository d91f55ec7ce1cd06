"""What the simulation of many encoders is driven by, measured here and now on a generated lecture.

CPU seconds, which a busy machine hardly changes, wherever something computes; wall time only for what waits: the
store (a real S3 server), the database (a real MongoDB), Dask (over TLS). Planning and publishing count
with the lower of both: on an idle machine the wall time, on a busy one what a single core would take. About
two minutes on two idle cores.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from academy.jobs import Progress
from academy.media import Grid
from bench.transcode_lecture import lecture, looped
from bench.transcode_scaling_chunks import AGAIN, Encoder, Rungs, Timer, Work, idle, planned
from bench.transcode_scaling_waits import handing, storing
from transcoding import binary
from transcoding.directory import SOURCE_KEY, DirectoryStore
from transcoding.local import transcode_file
from transcoding.passes import later_rungs
from transcoding.planning import Planner

DRAWN: Final = 30.0
EVERY: Final = 10.0
"""Seconds from one bullet or slide to the next."""
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
        timer = Timer()
        planner = Planner(DirectoryStore(folder, source), SOURCE_KEY, program)
        inspection, plan = asyncio.run(planned(planner, source.name))
        planning = timer.lower()
        encoder = Encoder(folder, source, plan, inspection)

        def passes(encoders: int) -> list[Rungs]:
            later = tuple(later_rungs(plan.video, encoders))
            first = tuple(rung.id for rung in plan.video if rung.id not in later)
            return [first, later] if later else [first]

        sets = {rungs for encoders in (1, 2) for rungs in passes(encoders)}
        works = {rungs: encoder.work(rungs) for rungs in sorted(sets)}
        again = [encoder.chunk(1, 1, passes(2)[0]) for _ in range(AGAIN)]
        mean = statistics.mean(cpu for cpu, _ in again)
        stored, known = storing(folder, encoder.bytes_of_a_segment(), len(plan.tracks))
        handed, latency = handing(folder, encoder.task(0, 1, None), two_hours)
        publish, quick, close = _publishing(folder, source, program.path)
        return Measured(
            works=works,
            passes=passes,
            spread=tuple(cpu / mean for cpu, _ in again),
            idle=idle(folder, source, program),
            stored=stored,
            known=known,
            handing=handed,
            latency=latency,
            plan=planning,
            publish=publish,
            quick=quick,
            close=close,
        )


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
    began: list[Timer] = []

    def heard(progress: Progress) -> None:
        if progress.stage == "publishing":
            began.append(Timer())

    out, profile = folder / f"of-{recording.stem}", str(folder / "cheap.yaml")
    asyncio.run(transcode_file(recording, out, profile=profile, on_progress=heard))
    return began[0].lower()
