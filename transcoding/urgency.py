"""Which chunk of whose lecture goes first where encoders are fewer than chunks. Pure.

Dask takes one number; these are its digits, from the left: the second pass after every first one; the
place within the lecture; the instructor's other lectures.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 8.0
"""Seconds that make a lecture playable."""
NEXT: Final = 60.0
"""Seconds that keep whoever pressed play at once from waiting."""
SHORT: Final = 20 * 60.0
"""Seconds of a lecture that goes before longer ones."""
HELP: Final = 10_000
"""Less urgent than anything: the second execution of a straggler."""


def priority(start: float, *, duration: float, late: bool, rank: int) -> int:
    """Higher goes first; 0 is the highest.

    `start`: of the chunk, seconds. `late`: of the second pass. `rank`: how many older lectures of the same
    instructor are in work.
    """
    if late:
        phase = 4
    elif start < FIRST:
        phase = 0
    elif start < NEXT:
        phase = 1
    else:
        phase = 2
    return -(phase * 100 + (50 if duration > SHORT and phase > 1 else 0) + min(rank, 49))
