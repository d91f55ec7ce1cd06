"""What completing a course takes.

Only seconds that were covered count. A lecture counts once its length is known: nobody could watch
one that has no recording yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

USUAL_SHARE: Final = 0.9
ROUNDING: Final = 0.05
"""Seconds by which a coverage may fall short: players report times in rounded seconds."""


class Countable(Protocol):
    """What these rules need to know of a lecture."""

    @property
    def id(self) -> str: ...
    @property
    def published(self) -> bool: ...
    @property
    def duration(self) -> float | None: ...


Counted = TypeVar("Counted", bound=Countable)
LectureId = Annotated[str, Field(min_length=1, max_length=64)]


class CompletionRules(BaseModel):
    """`share` of each counted lecture that must be covered; `lectures` null means every published one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=USUAL_SHARE, gt=0, le=1)
    lectures: list[LectureId] | None = Field(default=None, min_length=1, max_length=1000)
    """Ids. One that was deleted or unpublished since counts no more."""

    def counted(self, lectures: Sequence[Counted]) -> list[Counted]:
        """Those of a course's lectures that must be watched, in their order."""
        wanted = None if self.lectures is None else set(self.lectures)
        return [
            each
            for each in lectures
            if each.published and each.duration and (wanted is None or each.id in wanted)
        ]

    def needed(self, lecture: Countable) -> float:
        """Seconds of it to be covered."""
        return max(0.0, self.share * (lecture.duration or 0.0) - ROUNDING)
