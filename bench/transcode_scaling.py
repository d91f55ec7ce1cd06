"""A two-hour lecture on 1, 8, 32 and 128 encoders: simulated from times measured here and now.

Simulated are the real chunk plan and passes, handed out one after another in the viewer's order as `schedule.py`
does; each chunk reads what is recorded, begins, encodes segments whose costs are drawn from those measured, and
stores its last one; beside the second pass and at the end the media are published. Assumed is what one machine
cannot tell: encoders of unequal speed, stragglers (which are helped) and kills. Results count all of that; stderr
also tells the efficiency without what is assumed. The ratio is wall time over perfect sharing of the
encoding alone: 1 / efficiency.
"""

from __future__ import annotations

import heapq
import random
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from academy.media import Chunk, Grid
from academy.recordings import Ratio
from bench.registry import Result, benchmark
from bench.transcode_scaling_chunks import Rungs, Work
from bench.transcode_scaling_measured import Measured, measure
from transcoding.chunks import joined, plan_chunks
from transcoding.schedule import STRAGGLING

HOURS: Final = 2
ENCODERS: Final = (1, 8, 32, 128)
SHOWN: Final = (1, 2, 8, 16, 32, 64, 128, 256)
SLIDES: Final = HOURS * 3600 // 30
"""Times that something new appears: every half minute."""
RUNS: Final = 20
REPLACED: Final = 30.0
"""Seconds until a killed encoder's successor is there."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What one machine cannot tell."""

    spread: float = 0.1
    """Standard deviation of encoders' speeds."""
    stragglers: float = 0.02
    """Of executions, which take three times as long."""
    kills: float = 0.5
    """Per encoder and hour."""


IDEAL: Final = Assumed(spread=0.0, stragglers=0.0, kills=0.0)


@benchmark(*(f"transcode.scaling.{encoders}" for encoders in ENCODERS))
def scaling() -> Iterable[Result]:
    grid = Grid(frame_rate=Ratio(num=30), segment_frames=120, frames=HOURS * 3600 * 30)
    measured = measure(grid)
    told(measured)
    say("  | encoders | wall | efficiency | without what is assumed |\n  |---|---|---|---|")
    for encoders in SHOWN:
        work = sum(measured.works[rungs].segment for rungs in measured.passes(encoders))
        ideal = grid.segment_count * work / encoders
        wall = typical(grid, encoders, measured, Assumed())
        alone = typical(grid, encoders, measured, IDEAL)
        say(f"  | {encoders} | {clock(wall)} | {ideal / wall:.0%} | {ideal / alone:.0%} |")
        if encoders in ENCODERS:
            yield Result.of(f"transcode.scaling.{encoders}", wall, "s wall", ideal)


def typical(grid: Grid, encoders: int, measured: Measured, assumed: Assumed) -> float:
    walls = [
        Simulation(grid, encoders, measured, assumed, random.Random(run)).wall()
        for run in range(RUNS)
    ]
    return statistics.median(walls)


class Simulation:
    """One run of it."""

    def __init__(
        self,
        grid: Grid,
        encoders: int,
        measured: Measured,
        assumed: Assumed,
        dice: random.Random,
    ) -> None:
        self._grid = grid
        self._encoders = encoders
        self._measured = measured
        self._assumed = assumed
        self._dice = dice
        self._speeds = [max(0.5, dice.gauss(1.0, assumed.spread)) for _ in range(encoders)]
        self._recorded = 0

    def wall(self) -> float:
        """Seconds from the claim to the last publication."""
        at = published = self._measured.plan
        chunks = plan_chunks(self._grid, slots=self._encoders)
        for number, rungs in enumerate(self._measured.passes(self._encoders)):
            at = self._pass(at, joined(chunks) if number else chunks, rungs)
            self._recorded += self._grid.segment_count * len(rungs)
            # Beside the next pass: pictures and chapters, once, on the dispatcher; then a few texts.
            published = max(published, at) + self._measured.publish
            if number == 0:
                published += self._measured.quick * self._grid.segment_count
                published += self._measured.close * SLIDES
        return published

    def _pass(self, began: float, chunks: Iterable[Chunk], rungs: Rungs) -> float:
        """When its last chunk is done."""
        work = self._measured.works[rungs]
        free = [(began, number) for number in range(self._encoders)]
        handed = end = began
        for chunk in chunks:
            at, encoder = heapq.heappop(free)
            # One dispatcher hands out one after another.
            handed = max(handed + self._measured.handing, at)
            # Every chunk reads the receipts there are: about those of the segments before it.
            reading = self._measured.known * (self._recorded + chunk.first_segment * len(rungs))
            usual = reading + self._usual(chunk, work) / self._speeds[encoder]
            done = handed + self._measured.latency + self._troubled(usual, work)
            gone = self._killed(done - handed)
            heapq.heappush(free, (done + gone, encoder))
            end = max(end, done + gone)
        return end

    def _usual(self, chunk: Chunk, work: Work) -> float:
        measured = self._measured
        encoding = sum(self._dice.choices(work.segments, k=chunk.segments))
        return (
            measured.idle
            + (work.begin + encoding) * self._dice.choice(measured.spread)
            + measured.stored
        )

    def _troubled(self, usual: float, work: Work) -> float:
        if self._dice.random() >= self._assumed.stragglers:
            return usual
        # Noticed after `STRAGGLING` times the usual time; the helper does what is not recorded then.
        return min(3 * usual, STRAGGLING * usual + work.begin + (1 - STRAGGLING / 3) * usual)

    def _killed(self, spent: float) -> float:
        """Seconds more: what was recorded stays, half a segment is lost, another encoder comes."""
        if self._dice.random() >= self._assumed.kills * spent / 3600:
            return 0.0
        return REPLACED


def told(measured: Measured) -> None:
    for rungs, work in measured.works.items():
        each = ", ".join(f"{seconds:.2f}" for seconds in work.segments)
        say(f"  {' '.join(rungs)}: beginning a chunk {work.begin:.2f} s, segments {each} s of CPU")
    say(
        f"  the same again: {min(measured.spread):.2f} to {max(measured.spread):.2f} of the mean;"
        f" a chunk's core waits {measured.idle:.2f} s, its last segment is stored in"
        f" {1000 * measured.stored:.0f} ms; a receipt is read in {1e6 * measured.known:.0f} us;"
        f" a task takes {1000 * measured.handing:.1f} ms of the dispatcher and"
        f" {1000 * measured.latency:.1f} ms on its way; planning {measured.plan:.1f} s, publishing"
        f" {measured.publish:.1f} s, {1000 * measured.quick:.1f} ms per segment and {1000 * measured.close:.1f} ms per slide"
    )


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(
        f"{value} {unit}" for value, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if value
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
