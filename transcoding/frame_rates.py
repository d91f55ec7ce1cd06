"""Which constant frame rate a recording has, or best gets, judged from sampled frame times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

STANDARD: Final = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)
SLOWEST: Final = Fraction(5)
"""Slides shown for ten seconds per frame get this many: players and seeking want some."""
FASTEST: Final = Fraction(1000)
NEAR: Final = Fraction(1, 2000)
"""Closer than this to a standard rate, relatively, is that rate (24 and 23.976 lie 1/1000 apart)."""
JITTER: Final = Fraction(1, 10)
"""Of a frame: times that stray less lie on a constant grid for our purposes."""
BREAKS: Final = Fraction(3, 100)
"""Share of frames that may be missing or doubled in a rate that still counts as constant."""
UNKNOWN: Final = Fraction(25)


def judge(
    windows: Sequence[Sequence[int]], tick: Fraction, told: Iterable[Fraction]
) -> tuple[Fraction, bool]:
    """The nominal rate, and whether the real one varies.

    `windows`: rising frame times in ticks, sampled at several places; `tick` in seconds; `told`: what the
    container claims. The rate is standard where it is near one and never below 5 per second.
    """
    told = [rate for rate in told if 0 < rate <= FASTEST]
    times = [[stamp * tick for stamp in window] for window in windows if len(window) > 1]
    steps = sorted(later - earlier for window in times for earlier, later in pairwise(window))
    usual = steps[len(steps) // 2] if steps else Fraction(0)
    if usual <= 0:
        return max(SLOWEST, snap(told[0]) if told else UNKNOWN), False
    if usual * FASTEST < 1:
        return FASTEST, False
    even = [run for window in times for run in runs(window, usual) if len(run) > 1]
    breaks = sum(abs(step - usual) > usual / 2 for step in steps)
    candidates = [*map(snap, told), *STANDARD, *(snap(mean_rate(run)) for run in even)]
    likely = [rate for rate in candidates if abs(usual * rate - 1) < Fraction(1, 3)]
    if even and likely and breaks <= BREAKS * len(steps):
        best = min(likely, key=lambda rate: max(spread(run, rate) for run in even))
        error = max(spread(run, best) for run in even)
        if error <= max(JITTER / best, tick * Fraction(3, 5)):
            return max(SLOWEST, best), False
    return max(SLOWEST, _busy_rate(steps)), True


def runs(times: Sequence[Fraction], usual: Fraction) -> Iterator[list[Fraction]]:
    """The stretches without a gap or a doublet: a lost frame does not make a rate variable."""
    run: list[Fraction] = []
    for time in times:
        if run and abs(time - run[-1] - usual) > usual / 2:
            yield run
            run = []
        run.append(time)
    yield run


def snap(rate: Fraction) -> Fraction:
    """The standard rate very near to this one, or the rate itself, simplified."""
    nearest = min(STANDARD, key=lambda each: abs(each - rate))
    if abs(nearest - rate) <= NEAR * nearest * Fraction(3, 4):
        return nearest
    return rate.limit_denominator(1001)


def mean_rate(times: Sequence[Fraction]) -> Fraction:
    """Frames per second between the first and the last time; 0 when all are equal."""
    length = times[-1] - times[0]
    return min(FASTEST, (len(times) - 1) / length) if length > 0 else Fraction(0)


def spread(times: Sequence[Fraction], rate: Fraction) -> Fraction:
    """How far the times stray from an even grid of this rate: seconds to either side."""
    errors = [time - at / rate for at, time in enumerate(times)]
    return (max(errors) - min(errors)) / 2


def _busy_rate(steps: Sequence[Fraction]) -> Fraction:
    """The rate of the busier moments: the lower quartile of the distances, near a standard rate."""
    rising = [step for step in steps if step > 0]
    brief = rising[len(rising) // 4]
    # Coarse ticks round single distances: those like it, together, tell more.
    alike = [step for step in rising if abs(step - brief) <= brief / 5]
    rate = len(alike) / sum(alike, Fraction(0))
    nearest = min(STANDARD, key=lambda each: abs(each - rate))
    if rate >= STANDARD[-1] or abs(nearest - rate) <= nearest / 20:
        return nearest
    return rate.limit_denominator(100)
