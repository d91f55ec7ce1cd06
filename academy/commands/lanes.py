"""How parts are shared out among the requests under way: on a good line several go together.

A request costs the store some time whatever it carries; a break costs what was under way. So a lane
begins with single parts and takes more only as its own measured rate lets them arrive soon.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

PARALLEL: Final = 6
"""Requests under way at once."""
MOST_BYTES: Final = 32 * 1024**2
"""Of one request; above that, a request more no longer shows."""
LONGEST: Final = 20.0
"""Seconds one request should take at most."""
SHORT: Final = 2.0
"""What goes out in so many seconds needs no sharing with other lanes."""


@dataclass(slots=True)
class Lane:
    """One request after the other. `most`: parts that it may ever take together."""

    part_size: int
    most: int = field(init=False)
    rate: float = 0.0
    """Bytes per second of the last request; 0 before the first, and after one that failed."""

    def __post_init__(self) -> None:
        self.most = max(1, MOST_BYTES // self.part_size)

    def takes(self, waiting: int) -> int:
        """How many neighbours the next request carries while `waiting` parts have no lane yet."""
        parts_per_second = self.rate / self.part_size
        share = max(-(-waiting // PARALLEL), int(SHORT * parts_per_second))
        return max(1, min(self.most, share, int(LONGEST * parts_per_second)))

    def arrived(self, size: int, seconds: float) -> None:
        self.rate = size / max(seconds, 1e-6)

    def broke(self, count: int) -> None:
        """`count` parts were on their way: so many together were too many for this line."""
        self.rate = 0.0
        if count > 1:
            self.most = min(self.most, count // 2)


class Waiting:
    """Numbers of parts that no lane has taken yet.

    `arrived`: under which the store has something. If that is to be sent again, it is as the first of
    its request, so that it is replaced.
    """

    def __init__(self, numbers: Iterable[int], arrived: Iterable[int] = ()) -> None:
        self._numbers = sorted(numbers)
        self._arrived = frozenset(arrived)

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, most: int) -> tuple[int, int]:
        """The first number, and how many of its neighbours come with it: a run without gaps."""
        first = self._numbers[0]
        count = 1
        for number in self._numbers[1:most]:
            if number != first + count or number in self._arrived:
                break
            count += 1
        del self._numbers[:count]
        return first, count

    def give_back(self, first: int, count: int) -> None:
        place = bisect.bisect(self._numbers, first)
        self._numbers[place:place] = range(first, first + count)
