"""What completing a course takes, and how far one learner has come.

Only seconds that were covered count. A lecture counts once its length is known: nobody could watch
one that has no recording yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import Lecture
from academy.progress import Progress

USUAL_SHARE: Final = 0.9
ROUNDING: Final = 0.05
"""Seconds by which a coverage may fall short: players report times in rounded seconds."""
LectureId = Annotated[str, Field(min_length=1, max_length=64)]


class CompletionRules(BaseModel):
    """`share` of each counted lecture that must be covered; `lectures` null means every published one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=USUAL_SHARE, gt=0, le=1)
    lectures: list[LectureId] | None = Field(default=None, min_length=1, max_length=1000)
    """Ids. One that was deleted or unpublished since counts no more."""

    def counted(self, lectures: Sequence[Lecture]) -> list[Lecture]:
        """Those of a course's lectures that must be watched, in their order."""
        wanted = None if self.lectures is None else set(self.lectures)
        return [
            each
            for each in lectures
            if each.published and each.duration and (wanted is None or each.id in wanted)
        ]

    def needed(self, lecture: Lecture) -> float:
        """Seconds of it to be covered."""
        return max(0.0, self.share * (lecture.duration or 0.0) - ROUNDING)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a learner stands in a course. `covered` and `counted` are seconds of the counted lectures."""

    completed: tuple[str, ...]
    """Ids of counted lectures of which enough is covered."""
    missing: tuple[Lecture, ...]
    covered: float
    counted: float

    @property
    def complete(self) -> bool:
        return bool(self.completed) and not self.missing

    @property
    def share(self) -> float:
        """0..1 of the counted seconds; 0 while there are none."""
        return self.covered / self.counted if self.counted else 0.0


def standing(
    rules: CompletionRules, lectures: Sequence[Lecture], progress: Mapping[str, Progress]
) -> Standing:
    """`progress` by lecture id; lectures without any were not begun."""
    completed: list[str] = []
    missing: list[Lecture] = []
    covered = counted = 0.0
    for lecture in rules.counted(lectures):
        duration = lecture.duration or 0.0
        done = progress[lecture.id].covered(duration) if lecture.id in progress else 0.0
        covered, counted = covered + done, counted + duration
        if done >= rules.needed(lecture):
            completed.append(lecture.id)
        else:
            missing.append(lecture)
    return Standing(tuple(completed), tuple(missing), covered, counted)
