"""What sampled pictures tell of a recording: how much moves, what repeats, what scaling loses. Pure.

The figures behind the thresholds are in docs/transcoding.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import ceil, floor
from statistics import median
from typing import Final

from transcoding.frame_rates import STANDARD

DRAWN: Final = 0.003
"""Share of pixels with hard edges lost at a third of the size, from which pictures count as drawn: slides
0.016, code 0.05, filmed pictures 0.0000 to 0.0003."""
ALIKE_FAINT: Final = 0.02
ALIKE_CLEAR: Final = 0.0005
"""Shares of pixels that may differ faintly or clearly between rungs that nobody can tell apart."""
STILL: Final = 0.0002
"""Share of the area, below which nothing moved: a pointer takes about as much."""
SLOWEST: Final = Fraction(24)
"""Frames per second to which a rate may be lowered: less would show wherever something moves."""
FEW: Final = 6
"""Changes that must have been seen before anything is concluded from their pattern."""
KEYFRAME_EVERY: Final = 4
"""Seconds."""
NEED: Final = {True: 1.25, False: 6.0}
"""Bits of the largest rung, per bit of the weighing encoder's at half the size, for drawn and for filmed
pictures: that encoder is wasteful with edges and blind to faint detail."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Share of the first picture's pixels that differ faintly, clearly or by a hard edge's worth when it
    is scaled down and up again.
    """

    faint: float
    clear: float
    hard: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One stretch."""

    start: float
    """Seconds."""
    sizes: tuple[int, ...]
    """Bytes of each picture at half the size; the first is a keyframe."""
    changes: tuple[float, ...]
    """Share of the area that visibly differs from the picture before, for each but the first."""
    losses: Mapping[int, Loss]
    """By short side of a smaller rung."""


@dataclass(frozen=True)
class Content:
    """All samples of one recording, taken at `width` x `height`; `rate` is the recording's own."""

    samples: tuple[Sample, ...]
    width: int
    height: int
    rate: Fraction
    picture_seconds: float
    """CPU per sampled picture on this machine, decoding included."""

    @cached_property
    def drawn(self) -> bool:
        """Text and lines rather than what a lens saw; what most samples say."""
        hardest = [
            max((loss.hard for loss in s.losses.values()), default=0.0) for s in self.samples
        ]
        return median(hardest) >= DRAWN

    @cached_property
    def moving(self) -> float:
        """Share of the area that changes from one picture to the next, on average."""
        changes = [change for sample in self.samples for change in sample.changes]
        return sum(changes) / len(changes) if changes else 0.0

    @cached_property
    def need(self) -> float:
        """Bits per second that the largest rung will take, roughly: within a factor of two."""
        bits = [
            8 * (_mean(sample.sizes[1:]) * float(self.rate) + sample.sizes[0] / KEYFRAME_EVERY)
            for sample in self.samples
        ]
        return NEED[self.drawn] * _mean(bits)

    def need_at(self, size: int) -> float:
        """Bits per second of a rung of this short side: they shrink more slowly than the area."""
        return self.need * float(min(1.0, size / min(self.width, self.height)) ** 1.5)

    def alike(self, size: int) -> bool:
        """Whether nobody could tell a rung of this short side from the recording itself."""
        losses = [sample.losses.get(size) for sample in self.samples]
        return all(
            loss is not None and loss.faint < ALIKE_FAINT and loss.clear < ALIKE_CLEAR
            for loss in losses
        )

    @cached_property
    def frame_rate(self) -> Fraction:
        """The lowest rate at which no change is lost, not below 24; the recording's own where it is lower
        or where too little moved to tell. Slides at which nothing moves get 30 at most.
        """
        patterns = [[change > STILL for change in sample.changes] for sample in self.samples]
        if sum(map(sum, patterns)) < FEW:
            return self.rate / ceil(self.rate / 30) if self.drawn else self.rate
        return next(
            (
                lower
                for lower in self._lower_rates()
                if all(keeps(each, self.rate, lower) for each in patterns)
            ),
            self.rate,
        )

    def _lower_rates(self) -> list[Fraction]:
        """Rising. Of the same family: 29.97 instead of 30 would lose a picture every 33 seconds."""
        family = self.rate.denominator == 1001
        rates = {*STANDARD, *(self.rate / n for n in range(2, 6))}
        return sorted(
            each
            for each in rates
            if SLOWEST - 1 < each <= self.rate * 9 / 10 and (each.denominator == 1001) == family
        )


def keeps(changes: Sequence[bool], rate: Fraction, lower: Fraction) -> bool:
    """Whether pictures taken at `lower` per second show everything that changes at `rate` per second.

    `changes[n]`: picture n + 1 differs from picture n. Pictures are taken as ffmpeg's `fps` filter does:
    of those that round to the same time, the last. The last picture is out of sight of the sample.
    """
    shown = list(accumulate(changes, lambda count, changed: count + changed, initial=0))
    times = [floor(n * lower / rate + Fraction(1, 2)) for n in range(len(shown))]
    taken = [shown[n] for n in range(len(shown) - 1) if times[n + 1] > times[n]]
    return set(taken) >= set(shown[: len(shown) - 1]) - {shown[-1]}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
