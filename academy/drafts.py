"""What clients write about the catalogue: whole new documents and merge patches (RFC 7396).

A member that a patch leaves out stays; null empties it. Unknown members are refused, so that a
misspelt one is noticed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.courses import Level
from academy.ids import Slug
from academy.localised import LanguageTag, LocalisedInput, WrittenText

TextPatch = WrittenText | dict[LanguageTag, WrittenText | None]
"""A plain string sets the resource's own language; in a map, null removes a language."""

WebAddress = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=2000, strip_whitespace=True)
]
ImageAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https?://|/[^/\\])[^\s<>\"\\]*$", max_length=2000, strip_whitespace=True
    ),
]
"""An absolute address, or a path on this server."""
Slugs = Annotated[list[Slug], Field(max_length=50)]
SectionId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewUniversity(_Written):
    slug: Slug
    name: LocalisedInput
    city: LocalisedInput | None = None
    website: WebAddress | None = None


class UniversityPatch(_Written):
    name: TextPatch | None = None
    city: TextPatch | None = None
    website: WebAddress | None = None


class NewProgramme(_Written):
    slug: Slug
    name: LocalisedInput
    summary: LocalisedInput | None = None


class ProgrammePatch(_Written):
    name: TextPatch | None = None
    summary: TextPatch | None = None


class NewInstructor(_Written):
    slug: Slug
    name: LocalisedInput
    headline: LocalisedInput | None = None
    bio: LocalisedInput | None = None
    organisation: LocalisedInput | None = None
    visiting: bool = False
    portrait_url: ImageAddress | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    """The account (`sub` of its tokens) that may edit the courses this person teaches."""


class InstructorPatch(_Written):
    name: TextPatch | None = None
    headline: TextPatch | None = None
    bio: TextPatch | None = None
    organisation: TextPatch | None = None
    visiting: bool | None = None
    portrait_url: ImageAddress | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None


class SectionDraft(_Written):
    """With the `id` of an existing section its title is merged; without one it is new."""

    id: SectionId | None = None
    title: TextPatch


class NewCourse(_Written):
    slug: Slug
    title: LocalisedInput
    language: LanguageTag
    summary: LocalisedInput | None = None
    description: LocalisedInput | None = None
    level: Level | None = None
    programme: Slug | None = None
    universities: Slugs = Field(default_factory=list)
    instructors: Slugs = Field(default_factory=list)
    sections: list[SectionDraft] = Field(default_factory=list, max_length=200)


class CoursePatch(_Written):
    title: TextPatch | None = None
    language: LanguageTag | None = None
    summary: TextPatch | None = None
    description: TextPatch | None = None
    level: Level | None = None
    programme: Slug | None = None
    universities: Slugs | None = None
    instructors: Slugs | None = None
    sections: list[SectionDraft] | None = Field(default=None, max_length=200)


class NewLecture(_Written):
    title: LocalisedInput
    section: SectionId | None = None
    description: LocalisedInput | None = None
    language: LanguageTag | None = None
    """The course's own when left out."""
    instructors: Slugs = Field(default_factory=list)


class LecturePatch(_Written):
    title: TextPatch | None = None
    section: SectionId | None = None
    position: int | None = Field(default=None, ge=1, le=100_000)
    """The place among all lectures of the course, from 1; the others make room."""
    description: TextPatch | None = None
    language: LanguageTag | None = None
    instructors: Slugs | None = None
