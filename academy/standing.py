"""How far one learner has come in a course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from academy.completion_rules import CompletionRules
from academy.courses import Lecture
from academy.progress import Progress


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
