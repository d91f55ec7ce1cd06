"""What a search found: the resource as the catalogue has it, visible to everybody."""

from __future__ import annotations

from dataclasses import dataclass

from academy.courses import Course, Lecture


@dataclass(frozen=True, slots=True)
class CourseHit:
    course: Course


@dataclass(frozen=True, slots=True)
class LectureHit:
    lecture: Lecture
    course: Course


@dataclass(frozen=True, slots=True)
class MomentHit:
    """A caption in which the words were said; seconds from the lecture's start."""

    lecture: Lecture
    course: Course
    start: float
    end: float
    text: str
    language: str


Hit = CourseHit | LectureHit | MomentHit
