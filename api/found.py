"""Hits as clients see them: the resource, and where in its texts the words are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from academy.catalogue import Named
from academy.courses import Course, Lecture
from academy.localised import choose
from academy.search.highlights import Highlighter
from academy.search.hits import CourseHit, Hit, LectureHit, MomentHit
from academy.search.query import Query
from api.languages import Languages, Text
from api.rendering import Rendering
from api.representations import CourseOut, Teacher


class Highlight(BaseModel):
    field: Literal[
        "title",
        "summary",
        "description",
        "section",
        "instructor",
        "university",
        "programme",
        "course",
        "text",
    ] = Field(description="Where the words are; `course` is the title of the lecture's course")
    language: str = Field(description="Of this text: it may be another than the answer's")
    html: str = Field(
        description="The text, or of a long one the part around the first match. Everything in it is "
        "escaped; its only markup is `<mark>` around what matched",
        examples=["<mark>Spark</mark> &amp; friends"],
    )


class CourseName(BaseModel):
    slug: str
    title: Text


class FoundLecture(BaseModel):
    """A lecture without its `playback`: `GET /v1/lectures/{id}` has that."""

    id: str
    course: str = Field(description="Slug")
    course_title: Text
    section: str | None
    position: int
    title: Text
    description: Text | None
    language: str
    instructors: list[Teacher]
    duration: float | None = Field(description="Seconds, once known")


class FoundCourse(BaseModel):
    type: Literal["course"]
    course: CourseOut
    highlights: list[Highlight]


class FoundLectureHit(BaseModel):
    type: Literal["lecture"]
    lecture: FoundLecture
    highlights: list[Highlight]


class FoundMoment(BaseModel):
    """A caption in which the words are said: play the lecture from `start`."""

    type: Literal["moment"]
    lecture_id: str
    start: float = Field(description="Seconds from the lecture's start")
    end: float
    text: str
    language: str = Field(description="Of the captions")
    lecture_title: Text
    lecture_duration: float | None
    course: CourseName
    highlights: list[Highlight]


Found = Annotated[FoundCourse | FoundLectureHit | FoundMoment, Field(discriminator="type")]


class FoundOut(BaseModel):
    items: list[Found]
    next_cursor: str | None = Field(description="For the next page; null on the last one")


@dataclass(slots=True)
class Finding:
    """One answer. Making highlights costs about 0.1 ms per hit: call `all` in a thread."""

    query: Query
    named: Named
    languages: Languages
    public_url: str
    _rendering: Rendering = field(init=False)
    _highlighter: Highlighter = field(init=False)

    def __post_init__(self) -> None:
        self._rendering = Rendering(self.named, self.languages, self.public_url)
        self._highlighter = Highlighter(self.query)

    def all(self, hits: Sequence[Hit]) -> list[FoundCourse | FoundLectureHit | FoundMoment]:
        return [self._one(hit) for hit in hits]

    def _one(self, hit: Hit) -> FoundCourse | FoundLectureHit | FoundMoment:
        if isinstance(hit, CourseHit):
            return self._course(hit.course)
        if isinstance(hit, LectureHit):
            return self._lecture(hit.lecture, hit.course)
        return self._moment(hit)

    def _course(self, course: Course) -> FoundCourse:
        own = course.language
        texts: list[tuple[str, Mapping[str, str] | None]] = [
            ("title", course.title),
            ("summary", course.summary),
            ("description", course.description),
            *(("section", section.title) for section in course.sections),
            *self._names("instructor", self.named.instructors, course.instructors),
            *self._names("university", self.named.universities, course.universities),
            *self._names("programme", self.named.programmes, [course.programme or ""]),
        ]
        card = self._rendering.card(course.model_dump())
        return FoundCourse(
            type="course",
            course=CourseOut.model_validate(card),
            highlights=[*self._highlights(texts, own)],
        )

    def _lecture(self, lecture: Lecture, course: Course) -> FoundLectureHit:
        own = lecture.language
        taught_by = lecture.instructors or course.instructors
        texts: list[tuple[str, Mapping[str, str] | None]] = [
            ("title", lecture.title),
            ("description", lecture.description),
            ("course", course.title),
            *self._names("instructor", self.named.instructors, taught_by),
        ]
        return FoundLectureHit(
            type="lecture",
            lecture=FoundLecture(
                id=lecture.id,
                course=course.slug,
                course_title=self.languages.text(course.title, course.language),
                section=lecture.section,
                position=lecture.position,
                title=self.languages.heading(lecture.title, own),
                description=self.languages.maybe(lecture.description, own),
                language=own,
                instructors=[
                    Teacher.model_validate(each)
                    for each in self._rendering.teachers(taught_by, own)
                ],
                duration=lecture.duration,
            ),
            highlights=[*self._highlights(texts, own)],
        )

    def _moment(self, hit: MomentHit) -> FoundMoment:
        lecture, course = hit.lecture, hit.course
        return FoundMoment(
            type="moment",
            lecture_id=lecture.id,
            start=hit.start,
            end=hit.end,
            text=hit.text,
            language=hit.language,
            lecture_title=self.languages.heading(lecture.title, lecture.language),
            lecture_duration=lecture.duration,
            course=CourseName(
                slug=course.slug, title=self.languages.text(course.title, course.language)
            ),
            highlights=[*self._highlights([("text", {hit.language: hit.text})], hit.language)],
        )

    def _names(
        self, name: str, among: Mapping[str, Mapping[str, Any]], slugs: Sequence[str]
    ) -> list[tuple[str, Mapping[str, str] | None]]:
        return [(name, among[slug]["name"]) for slug in slugs if slug in among]

    def _highlights(
        self, texts: Sequence[tuple[str, Mapping[str, str] | None]], own: str
    ) -> Iterator[Highlight]:
        """Of each text one: in the answer's language if it matches there, else in another."""
        for name, text in texts:
            for language in self._preferred(text or {}, own):
                original = (text or {})[language]
                marked = self._highlighter.excerpt(original, language)
                if marked is not None:
                    yield Highlight.model_validate(
                        {"field": name, "language": language, "html": marked}
                    )
                    break

    def _preferred(self, text: Mapping[str, str], own: str) -> list[str]:
        if not text:
            return []
        first, _ = choose(text, self.languages.wanted, own)
        return [first, *(language for language in text if language != first)]
