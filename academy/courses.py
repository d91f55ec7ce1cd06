"""The catalogue: universities, programmes, courses with sections, lectures.

Documents as the stores keep them: texts are language maps, times are UTC, durations seconds.
`revision` counts the writes of a document; it is what `If-Match` compares.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from academy.completion_rules import CompletionRules
from academy.ids import Slug, new_id
from academy.localised import LanguageTag, LocalisedText


def now() -> datetime:
    """UTC, cut to the milliseconds that MongoDB keeps, so that what is written equals what is read."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Level(StrEnum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class CourseOrder(StrEnum):
    NEWEST = "newest"
    TITLE = "title"
    POPULAR = "popular"


class University(BaseModel):
    model_config = ConfigDict(frozen=True)

    slug: Slug
    name: LocalisedText
    city: LocalisedText | None = None
    website: str | None = None
    course_count: int = 0
    revision: int = 1


class Programme(BaseModel):
    """A major of the cooperation programme."""

    model_config = ConfigDict(frozen=True)

    slug: Slug
    name: LocalisedText
    summary: LocalisedText | None = None
    course_count: int = 0
    revision: int = 1


class Section(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    title: LocalisedText


class Course(BaseModel):
    """A course. Published while `published_at` is set; counters count its published lectures."""

    model_config = ConfigDict(frozen=True)

    slug: Slug
    title: LocalisedText
    summary: LocalisedText | None = None
    description: LocalisedText | None = None
    language: LanguageTag
    level: Level | None = None
    programme: Slug | None = None
    universities: list[Slug] = Field(default_factory=list)
    instructors: list[Slug] = Field(default_factory=list)
    sections: list[Section] = Field(default_factory=list)
    poster: str | None = None
    """The media whose still shows the course: of its first lecture that has one, kept by the stores."""
    owner: str
    created_at: datetime = Field(default_factory=now)
    published_at: datetime | None = None
    lecture_count: int = 0
    duration: float = 0.0
    views: int = 0
    completion: CompletionRules | None = None
    """None means the usual ones."""
    demo: bool = False
    revision: int = 1

    @property
    def published(self) -> bool:
        return self.published_at is not None


class MediaReference(BaseModel):
    """The one reference that publication flips: which media a lecture plays."""

    model_config = ConfigDict(frozen=True)

    media_id: str
    number: int
    """Of the recording it was made from: publication succeeds only with a higher one."""


class Lecture(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    course: Slug
    section: str | None = None
    position: int = 0
    title: LocalisedText
    description: LocalisedText | None = None
    language: LanguageTag
    instructors: list[Slug] = Field(default_factory=list)
    published: bool = False
    created_at: datetime = Field(default_factory=now)
    created_by: str
    duration: float | None = None
    media: MediaReference | None = None
    uploads_begun: int = 0
    """Numbers the uploads of this lecture."""
    revision: int = 1
