"""What of courses, lectures and captions can be found: their texts in every language, as terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import Course, Lecture
from academy.localised import LanguageTag
from academy.search.folding import fold
from academy.search.words import words_of

Texts = Mapping[str, str]


class Kind(StrEnum):
    COURSE = "course"
    LECTURE = "lecture"
    MOMENT = "moment"


class Cue(BaseModel):
    """One caption: seconds from the lecture's start, and its text without markup."""

    model_config = ConfigDict(frozen=True)

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    text: str


class Transcript(BaseModel):
    """All cues of a lecture in one language: what moments are made of."""

    model_config = ConfigDict(frozen=True)

    lecture_id: str
    language: LanguageTag
    cues: list[Cue]
    revision: str
    """Differs whenever the cues do."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Terms of a text. `surfaces`: each word as folded, with its terms, for completing what is typed."""

    terms: frozenset[str]
    surfaces: Mapping[str, frozenset[str]]
    folded: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A course or a lecture. `everything` has the terms of the title, too."""

    title: Vocabulary
    everything: Vocabulary


def vocabulary(texts: Iterable[tuple[str, str]]) -> Vocabulary:
    """Of pairs of language and text."""
    terms: set[str] = set()
    surfaces: dict[str, frozenset[str]] = {}
    folded: list[str] = []
    for language, original in texts:
        text = fold(original)
        folded.append(text.text)
        for word in words_of(text, original, language):
            terms |= word.terms
            if not word.han:
                surfaces[word.surface] = surfaces.get(word.surface, frozenset()) | word.terms
    return Vocabulary(frozenset(terms), surfaces, "\n".join(folded))


def course_entry(course: Course, names: Sequence[Texts]) -> Entry:
    """`names`: of its instructors, universities and programme."""
    texts = [course.summary, course.description, *(each.title for each in course.sections), *names]
    return _entry(course.title, texts)


def lecture_entry(lecture: Lecture, course: Course, names: Sequence[Texts]) -> Entry:
    """A lecture is also found by its course's title; `names`: of who teaches it."""
    return _entry(lecture.title, [lecture.description, course.title, *names])


def popularity(views: int) -> int:
    """For moments: steps of about a fifth, so that a course's thousands are rewritten rarely."""
    return round(4 * math.log2(views + 1))


def _entry(title: Texts, others: Sequence[Texts | None]) -> Entry:
    titles = list(title.items())
    rest = [pair for texts in others if texts for pair in texts.items()]
    return Entry(vocabulary(titles), vocabulary([*titles, *rest]))
