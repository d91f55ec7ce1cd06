"""Which parts of a file the store has, and which of what arrived make it up.

A part may be wider than planned: sent in one request with its neighbours, it stands for them, too,
unless one of them also arrived by itself. S3 forgets parts that a completion does not list, but Ceph
refuses to complete, and a part can only be replaced: so all that arrived has to fit together.
Nothing of this is kept; it follows from the numbers and sizes that the store lists.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass

from academy.uploads import Part, Upload


@dataclass(frozen=True, slots=True)
class Coverage:
    """`parts`: those that make up the file, in order.

    `missing` and `wrong`: numbers of planned parts that nothing covers, those of `wrong` because what
    came under them ends within a part or reaches into one that arrived.
    """

    parts: list[Part]
    missing: list[int]
    wrong: list[int]
    count: int
    """How many parts were planned, or have arrived where there is no plan."""

    @property
    def wanted(self) -> list[int]:
        """What has to be sent (again), in order."""
        return sorted([*self.missing, *self.wrong])


def coverage(upload: Upload, arrived: Iterable[Part]) -> Coverage:
    """Walks from part to part: each begins where the one before it ends.

    Without a plan the last number says how many there are, and any size is right.
    """
    there = {part.number: part for part in arrived}
    count = upload.part_count if upload.planned else max(there, default=1)
    numbers = sorted(there)
    found = Coverage([], [], [], count)
    number = 1
    while number <= count:
        part = there.get(number)
        width = 1 if part is None or not upload.planned else _width(upload, part)
        behind = bisect.bisect(numbers, number)
        if width and behind < len(numbers) and numbers[behind] < number + width:
            width = None
        if part is None:
            found.missing.append(number)
        elif width is None:
            found.wrong.append(number)
        else:
            found.parts.append(part)
        number += width or 1
    return found


def _width(upload: Upload, part: Part) -> int | None:
    """How many planned parts it holds; None when it ends within one, or after the file's end."""
    width = -(-part.size // upload.part_size)
    if not 1 <= width <= upload.part_count - part.number + 1:
        return None
    return width if part.size == upload.expected_size(part.number, width) else None
