"""What readers see of the catalogue: read models, each answered by one query.

Documents are plain data as the stores keep them (texts as language maps, instants aware UTC, `slug`
or `id` in place of `_id`). They are not validated again: that was done when they were written, and
it would cost more than the rest of a read together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


def mark(collection: str, key: str) -> str:
    """Names a document among what an answer was made from; a collection's own name means all of it."""
    return f"{collection}/{key}"


@dataclass(frozen=True, slots=True)
class Named:
    """What courses and lectures name, by slug; what is not there is missing here too."""

    universities: Mapping[str, Document] = field(default_factory=dict)
    programmes: Mapping[str, Document] = field(default_factory=dict)
    instructors: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CoursePage:
    courses: Sequence[Document]
    named: Named
    next: Mapping[str, Any] | None
    """The position of the next page, if there is one."""

    @property
    def made_from(self) -> frozenset[str]:
        marks = {"courses"}
        for course in self.courses:
            marks.update(_named_by(course))
        return frozenset(marks)


@dataclass(frozen=True, slots=True)
class CourseView:
    course: Document
    lectures: Sequence[Document]
    """In their order."""
    named: Named

    @property
    def made_from(self) -> frozenset[str]:
        """A lecture that is not shown adds itself by a write on its course: publishing recounts it."""
        marks = _named_by(self.course)
        marks.append(mark("courses", self.course["slug"]))
        marks += [f"lectures/{lecture['id']}" for lecture in self.lectures]
        return frozenset(marks)


@dataclass(frozen=True, slots=True)
class LectureView:
    lecture: Document
    course: Document
    publication: Document | None
    """Of the media that the lecture plays; None while there are none."""
    named: Named

    @property
    def made_from(self) -> frozenset[str]:
        marks = {
            mark("lectures", self.lecture["id"]),
            mark("courses", self.course["slug"]),
            *(mark("instructors", slug) for slug in self.teachers),
        }
        if self.lecture["media"] is not None:
            marks.add(mark("media", self.lecture["media"]["media_id"]))
        return frozenset(marks)

    @property
    def teachers(self) -> Sequence[str]:
        """A lecture without instructors of its own is taught by the course's."""
        slugs: Sequence[str] = self.lecture["instructors"] or self.course["instructors"]
        return slugs


@dataclass(frozen=True, slots=True)
class PosterView:
    course: Document
    name: str | None
    """Of the picture, below the prefix of the media `course["poster"]`."""

    @property
    def made_from(self) -> frozenset[str]:
        marks = {mark("courses", self.course["slug"])}
        if self.course["poster"] is not None:
            marks.add(mark("media", self.course["poster"]))
        return frozenset(marks)


def _named_by(course: Document) -> list[str]:
    """By what the course says, not by what was found: what is missing may come."""
    marks = [f"universities/{slug}" for slug in course["universities"]]
    marks += [f"instructors/{slug}" for slug in course["instructors"]]
    if course["programme"] is not None:
        marks.append(mark("programmes", course["programme"]))
    return marks
