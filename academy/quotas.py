"""How much a course and an instructor may store, asked when an upload begins."""

from __future__ import annotations

from dataclasses import dataclass

from academy.courses import Course
from academy.errors import Conflict
from academy.storage_stores import AccountingStore


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bytes; None for none. An instructor's counts all courses that their account owns."""

    accounting: AccountingStore
    course_bytes: int | None = None
    instructor_bytes: int | None = None

    async def check(self, course: Course, size: int, *, counted: bool = False) -> None:
        """Conflict unless a recording of `size` bytes has room. `counted`: as it is under way, what is
        taken includes it already. Costs nothing where there are no quotas.
        """
        among = size if counted else 0
        if self.course_bytes is not None:
            taken = (await self.accounting.course(course.slug)).total - among
            _fits(taken, size, self.course_bytes, "The course")
        if self.instructor_bytes is not None:
            taken = (await self.accounting.owner(course.owner)).total - among
            _fits(taken, size, self.instructor_bytes, "The account that owns this course")


def _fits(taken: int, size: int, most: int, who: str) -> None:
    if taken + size > most:
        raise Conflict(
            f"{who} may store {_readable(most)} and has taken {_readable(taken)}: this recording of "
            f"{_readable(size)} does not fit. Delete lectures that nobody needs, end uploads that "
            "will not be finished, or ask an administrator for more room.",
            code="quota_exceeded",
        )


def _readable(size: int) -> str:
    for unit, bytes_ in (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return f"{size} bytes"
