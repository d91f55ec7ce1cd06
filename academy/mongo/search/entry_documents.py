"""What a refresh writes, made of what it read: no database here, so it runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from academy.courses import Course
from academy.mongo.client import Document
from academy.search.entries import (
    Entry,
    Kind,
    Transcript,
    course_entry,
    lecture_entry,
    popularity,
    vocabulary,
)

if TYPE_CHECKING:
    from academy.mongo.search.refresh import Catalogue


@dataclass(slots=True)
class Writes:
    entries: list[Document] = field(default_factory=list)
    no_entries: list[str] = field(default_factory=list)
    """Ids of what must not be found."""
    moments: list[Document] = field(default_factory=list)
    stale_moments: list[Document] = field(default_factory=list)
    """Filters."""
    ranks: list[tuple[str, int]] = field(default_factory=list)
    """Lectures whose moments stay and have another rank now."""
    known: dict[str, tuple[dict[str, str], int | None]] = field(default_factory=dict)
    """By source: the revisions of the transcripts that are in the index, and the rank of their moments."""
    surfaces: dict[str, frozenset[str]] = field(default_factory=dict)

    def learn(self, surfaces: Mapping[str, frozenset[str]]) -> None:
        for surface, terms in surfaces.items():
            self.surfaces[surface] = self.surfaces.get(surface, frozenset()) | terms


def course_source(slug: str) -> str:
    return f"{Kind.COURSE}:{slug}"


def lecture_source(lecture_id: str) -> str:
    return f"{Kind.LECTURE}:{lecture_id}"


def prepare(
    courses: Sequence[str],
    lectures: Sequence[str],
    catalogue: Catalogue,
    known: Mapping[str, Document],
) -> Writes:
    """`known`: what the index has of each source."""
    writes = Writes()
    for slug in courses:
        _course(slug, catalogue, writes)
    for lecture_id in lectures:
        _lecture(lecture_id, catalogue, known[lecture_source(lecture_id)], writes)
    return writes


def _course(slug: str, catalogue: Catalogue, writes: Writes) -> None:
    course = catalogue.courses.get(slug)
    if course is None or not course.published:
        writes.no_entries.append(course_source(slug))
        return
    named = [
        ("instructors", course.instructors),
        ("universities", course.universities),
        ("programmes", [course.programme or ""]),
    ]
    entry = course_entry(course, _names(catalogue, named))
    writes.entries.append(_document(Kind.COURSE, slug, course, course.language, entry))
    writes.learn(entry.everything.surfaces)


def _lecture(lecture_id: str, catalogue: Catalogue, known: Document, writes: Writes) -> None:
    source = lecture_source(lecture_id)
    lecture = catalogue.lectures.get(lecture_id)
    course = catalogue.courses.get(lecture.course) if lecture else None
    before: Mapping[str, str] = known.get("transcripts", {})
    if lecture is None or course is None or not lecture.published or not course.published:
        writes.no_entries.append(source)
        if before:
            writes.stale_moments.append({"lecture": lecture_id})
            writes.known[source] = ({}, None)
        return
    taught_by = lecture.instructors or course.instructors
    entry = lecture_entry(lecture, course, _names(catalogue, [("instructors", taught_by)]))
    writes.entries.append(_document(Kind.LECTURE, lecture_id, course, lecture.language, entry))
    writes.learn(entry.everything.surfaces)
    transcripts = catalogue.transcripts.get(lecture_id, ())
    now = {each.language: each.revision for each in transcripts}
    rank = popularity(course.views)
    if now == before and rank == known.get("rank", rank):
        return
    stale = sorted(language for language in before if before[language] != now.get(language))
    if stale:
        writes.stale_moments.append({"lecture": lecture_id, "language": {"$in": stale}})
    if any(before[language] == now.get(language) for language in before):
        writes.ranks.append((lecture_id, rank))
    for transcript in transcripts:
        if before.get(transcript.language) != transcript.revision:
            _moments(transcript, course.slug, rank, writes)
    writes.known[source] = (now, rank)


def _names(
    catalogue: Catalogue, named: Sequence[tuple[str, Sequence[str]]]
) -> list[Mapping[str, str]]:
    return [
        catalogue.names[collection][slug]
        for collection, slugs in named
        for slug in slugs
        if slug in catalogue.names[collection]
    ]


def _document(kind: Kind, key: str, course: Course, language: str, entry: Entry) -> Document:
    return {
        "_id": f"{kind}:{key}",
        "kind": kind.value,
        "key": key,
        "course": course.slug,
        "language": language,
        "rank": course.views,
        "title": sorted(entry.title.terms),
        "terms": sorted(entry.everything.terms),
        "folded": entry.everything.folded,
    }


def _moments(transcript: Transcript, course: str, rank: int, writes: Writes) -> None:
    for number, cue in enumerate(transcript.cues):
        made = vocabulary([(transcript.language, cue.text)])
        writes.learn(made.surfaces)
        writes.moments.append(
            {
                "_id": f"{transcript.lecture_id}:{transcript.language}:{number:06}",
                "lecture": transcript.lecture_id,
                "course": course,
                "language": transcript.language,
                "start": cue.start,
                "end": cue.end,
                "text": cue.text,
                "revision": transcript.revision,
                "rank": rank,
                "terms": sorted(made.terms),
                "folded": made.folded,
            }
        )
