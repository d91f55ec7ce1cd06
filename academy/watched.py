"""Watched ranges: which seconds of a lecture somebody has really seen.

A range is (start, end) in seconds from the lecture's beginning, end excluded. A set of ranges is kept
merged: sorted, disjoint, none touching the next. Union is what makes reports of watching safe: the same
report twice, or two in the wrong order, give the same set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

Range = tuple[float, float]

MOST_RANGES: Final = 200
"""Kept per lecture and learner. Beyond it the shortest are forgotten: coverage is never overstated."""


def merged(ranges: Iterable[Sequence[float]]) -> list[Range]:
    """The union, sorted and disjoint; ranges that touch become one, empty ones vanish."""
    union: list[Range] = []
    for start, end in sorted((each[0], each[1]) for each in ranges):
        if end <= start:
            continue
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def bounded(ranges: Sequence[Range], most: int = MOST_RANGES) -> list[Range]:
    """Merged ranges without the shortest beyond `most`; of equally short ones the later go."""
    if len(ranges) <= most:
        return list(ranges)
    return sorted(sorted(ranges, key=lambda each: (each[0] - each[1], each[0]))[:most])


def clipped(ranges: Iterable[Sequence[float]], duration: float) -> list[Range]:
    """What lies within a lecture of `duration` seconds."""
    return [(start, min(end, duration)) for start, end in ranges if start < min(end, duration)]


def covered(ranges: Iterable[Sequence[float]], duration: float) -> float:
    """Seconds of a lecture of `duration` seconds that merged ranges cover."""
    return sum(end - start for start, end in clipped(ranges, duration))
