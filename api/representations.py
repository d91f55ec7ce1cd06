"""The catalogue as clients see it. Texts are already in the reader's language, or maps for `?lang=*`."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from academy.courses import Level, Programme, University
from academy.people import Instructor
from academy.playback import Playback
from api.languages import FALLBACK, Languages, Text

Item = TypeVar("Item")


class Listing(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = Field(description="For the next page; null on the last one")


class UniversityOut(BaseModel):
    slug: str = Field(examples=["zhejiang-university"])
    name: Text = Field(examples=["Zhejiang University"])
    city: Text | None = Field(examples=["Hangzhou"])
    website: str | None
    course_count: int = Field(description="Published courses")

    @classmethod
    def of(cls, university: University, languages: Languages) -> UniversityOut:
        return cls(
            slug=university.slug,
            name=languages.heading(university.name, FALLBACK),
            city=languages.maybe(university.city, FALLBACK),
            website=university.website,
            course_count=university.course_count,
        )


class ProgrammeOut(BaseModel):
    slug: str = Field(examples=["cloud-computing"])
    name: Text = Field(examples=["Cloud computing"])
    summary: Text | None
    course_count: int = Field(description="Published courses")

    @classmethod
    def of(cls, programme: Programme, languages: Languages) -> ProgrammeOut:
        return cls(
            slug=programme.slug,
            name=languages.heading(programme.name, FALLBACK),
            summary=languages.maybe(programme.summary, FALLBACK),
            course_count=programme.course_count,
        )


class InstructorOut(BaseModel):
    slug: str
    name: Text
    headline: Text | None
    bio: Text | None
    organisation: Text | None
    visiting: bool
    portrait_url: str | None

    @classmethod
    def of(cls, instructor: Instructor, languages: Languages) -> InstructorOut:
        return cls(
            slug=instructor.slug,
            name=languages.heading(instructor.name, FALLBACK),
            headline=languages.maybe(instructor.headline, FALLBACK),
            bio=languages.maybe(instructor.bio, FALLBACK),
            organisation=languages.maybe(instructor.organisation, FALLBACK),
            visiting=instructor.visiting,
            portrait_url=instructor.portrait_url,
        )


class Named(BaseModel):
    """A university or programme, by slug, with the name to show."""

    slug: str
    name: Text


class Teacher(BaseModel):
    """An instructor in short: all but the biography."""

    slug: str
    name: Text
    headline: Text | None
    organisation: Text | None
    visiting: bool
    portrait_url: str | None


class CourseOut(BaseModel):
    slug: str = Field(examples=["introduction-to-cloud-computing"])
    title: Text
    summary: Text | None
    language: str = Field(description="The course's own language", examples=["zh"])
    level: Level | None
    programme: Named | None
    universities: list[Named]
    instructors: list[Teacher]
    lecture_count: int
    duration: float = Field(description="Seconds, of all published lectures")
    poster_url: str | None
    published_at: datetime | None = Field(description="null for a draft")
    demo: bool = Field(description="Whether this is invented demonstration data")


class LectureLine(BaseModel):
    id: str
    title: Text
    duration: float | None = Field(description="Seconds, once known")
    playable: bool
    published: bool = Field(description="Always true for the public")
    position: int


class SectionOut(BaseModel):
    id: str | None = Field(description="null for the lectures that are in no section")
    title: Text | None
    lectures: list[LectureLine]


class CourseDetail(CourseOut):
    description: Text | None
    sections: list[SectionOut]


class LectureOut(BaseModel):
    id: str
    course: str = Field(description="Slug")
    section: str | None
    position: int
    title: Text
    description: Text | None
    language: str
    instructors: list[Teacher]
    duration: float | None = Field(description="Seconds, once known")
    published: bool
    playback: Playback
