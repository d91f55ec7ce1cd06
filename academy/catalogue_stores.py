"""The stores of the catalogue, as Protocols: its documents, its read models, its changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from academy.catalogue import CoursePage, CourseView, LectureView, PosterView
from academy.courses import Course, CourseOrder, Lecture, Programme, University
from academy.people import Instructor
from academy.store_values import Changes, Page, Position


@dataclass(frozen=True, slots=True)
class CourseFilter:
    university: str | None = None
    programme: str | None = None
    instructor: str | None = None
    level: str | None = None
    language: str | None = None


class UniversityStore(Protocol):
    async def get(self, slug: str) -> University: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[University]:
        """Those that exist, in the order asked for."""

    async def list(self, *, limit: int, after: Position | None = None) -> Page[University]: ...
    async def add(self, university: University) -> None:
        """Conflict when the slug is taken."""

    async def change(self, slug: str, changes: Changes) -> University:
        """PreconditionFailed when the revision moved on."""

    async def delete(self, slug: str) -> None: ...


class ProgrammeStore(Protocol):
    async def get(self, slug: str) -> Programme: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[Programme]: ...
    async def list(self, *, limit: int, after: Position | None = None) -> Page[Programme]: ...
    async def add(self, programme: Programme) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Programme: ...
    async def delete(self, slug: str) -> None: ...


class InstructorStore(Protocol):
    async def get(self, slug: str) -> Instructor: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[Instructor]: ...
    async def profiles_of(self, subject: str) -> Sequence[str]:
        """Slugs of the profiles linked to an account."""

    async def list(self, *, limit: int, after: Position | None = None) -> Page[Instructor]: ...
    async def add(self, instructor: Instructor) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Instructor: ...
    async def delete(self, slug: str) -> None: ...


class CourseStore(Protocol):
    """Courses and their lectures: one store, since counters change with both in one transaction."""

    async def get(self, slug: str) -> Course: ...
    async def add(self, course: Course) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Course:
        """Also publishes and unpublishes (`published_at`); counters of universities and programmes follow."""

    async def delete(self, slug: str) -> None:
        """The course and its lectures; Conflict while learners are enrolled."""

    async def lecture(self, lecture_id: str) -> Lecture: ...
    async def lectures(self, course: str, *, drafts: bool) -> Sequence[Lecture]:
        """By section order as given in `position`, then creation."""

    async def add_lecture(self, lecture: Lecture) -> Lecture:
        """Appends: gives the next position within the course."""

    async def change_lecture(self, lecture_id: str, changes: Changes) -> Lecture: ...
    async def delete_lecture(self, lecture_id: str) -> None: ...


class CatalogueStore(Protocol):
    """Reads for readers: read models of plain data, one query each."""

    async def courses(
        self,
        where: CourseFilter,
        *,
        order: CourseOrder,
        limit: int,
        after: Position | None = None,
        language: str = "zh",
    ) -> CoursePage:
        """The published ones, in keyset pages. `language`: whose title `order=title` sorts by (any
        other where it is missing).
        """

    async def taught(
        self,
        *,
        subject: str,
        profiles: Sequence[str],
        limit: int,
        after: Position | None = None,
    ) -> CoursePage:
        """Owned or taught, drafts included, newest first."""

    async def course(self, slug: str, *, drafts: bool) -> CourseView:
        """Published or not; `drafts`: with its unpublished lectures."""

    async def lecture(self, lecture_id: str) -> LectureView:
        """Published or not."""

    async def poster(self, slug: str) -> PosterView: ...


class ChangeListener(Protocol):
    """Told of changes of what public answers are made from. Its methods return at once."""

    def opened(self) -> None:
        """From now on everything is told; what happened before may not have been."""

    def changed(self, marks: Iterable[str]) -> None:
        """As `academy.catalogue.mark` makes them, and the names of whole collections."""

    def heard(self) -> None:
        """All that was told is all that happened."""

    def lost(self) -> None:
        """Until the next `opened` nothing is told."""


class PublicChanges(Protocol):
    """Writes to the catalogue by any process, as they happen."""

    def told_to(self, listener: ChangeListener) -> AbstractAsyncContextManager[None]: ...
