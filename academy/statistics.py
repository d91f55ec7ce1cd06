"""What an instructor learns of a course's audience: how many come, how far they get, where they leave.

Counts only, never who. All of it is derived from enrolments, watched ranges and certificates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BUCKETS: Final = 50
"""Equal parts into which a lecture's time is divided."""
END: Final = 0.05
"""Who leaves within this last share of a lecture has watched it to its end."""
MOST_MOMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Need:
    """A counted lecture: its length, and how much of it completes it. Seconds."""

    lecture: str
    duration: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """Learners who … each of these is a part of the one before, `active` aside."""

    enrolled: int
    started: int
    """Enrolled and watched anything."""
    halfway: int
    """Completed at least half of the counted lectures."""
    completed: int
    certified: int
    """Hold a valid certificate."""
    active: int
    """Watched something in the last seven days."""


@dataclass(frozen=True, slots=True)
class Attention:
    """What learners do with one lecture, whose time is divided into equal parts.

    `started` watched any of it. `viewers[k]` saw the middle of part k; of `leavers[k]` watching ends in it.
    """

    lecture: str
    started: int
    completed: int
    viewers: tuple[int, ...]
    leavers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A part of a lecture in which many leave. `start` and `end` in seconds, `learners` who left there."""

    start: float
    end: float
    learners: int


def running_totals(changes: dict[int, int], buckets: int) -> tuple[int, ...]:
    """From how many begin (+) and end (-) at each boundary to how many there are in each part."""
    totals: list[int] = []
    present = 0
    for part in range(buckets):
        present += changes.get(part, 0)
        totals.append(present)
    return tuple(totals)


def moments(leavers: Sequence[int], duration: float, most: int = MOST_MOMENTS) -> list[Moment]:
    """The parts in which clearly more leave than on average, most leavers first; the end is no such moment."""
    part = duration / len(leavers)
    watched = [
        number for number in range(len(leavers)) if (number + 1) * part <= duration * (1 - END)
    ]
    if not watched:
        return []
    usual = sum(leavers[number] for number in watched) / len(watched)
    marked = [number for number in watched if leavers[number] > max(1, 1.5 * usual)]
    marked.sort(key=lambda number: (-leavers[number], number))
    return [Moment(number * part, (number + 1) * part, leavers[number]) for number in marked[:most]]
