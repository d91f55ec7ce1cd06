"""One course or lecture into the index, as the catalogue has it now.

Everything happens in one transaction: the catalogue is read, terms are made in a thread, entries are
written. Two refreshes of the same source both write its document in `sources`, so the one that read
earlier cannot write later: it fails and starts again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from academy.courses import Course, Lecture
from academy.mongo.client import Database, Document, Session, from_document, in_transaction
from academy.mongo.search.generations import Generation, Generations
from academy.mongo.search.learnt import Learnt
from academy.search.entries import (
    Entry,
    Kind,
    Transcript,
    course_entry,
    lecture_entry,
    popularity,
    vocabulary,
)

TRANSCRIPTS: Final = "caption_transcripts"
_AT_A_TIME: Final = 1000


class Refresher:
    def __init__(self, database: Database, generations: Generations) -> None:
        self._database = database
        self._generations = generations

    async def course(self, slug: str, only: Generation | None = None) -> Learnt:
        """Into `only` that generation, or all that are in use. Returns the words, to be remembered."""

        async def work(session: Session) -> Learnt:
            generations = await self._begin(f"course:{slug}", only, session)
            document = await self._database.courses.find_one({"_id": slug}, session=session)
            course = from_document(Course, document, key="slug") if document else None
            if course is None or not course.published:
                for each in generations:
                    await each.entries.delete_one({"_id": f"course:{slug}"}, session=session)
                return Learnt()
            names = await self._names(course, course.instructors, session)
            entry = await asyncio.to_thread(course_entry, course, names)
            written = _entry_document(Kind.COURSE, slug, course, course.language, entry)
            for each in generations:
                await _write_entry(each, written, session)
            return Learnt(generations, entry.everything.surfaces)

        return await in_transaction(self._database, work)

    async def lecture(self, lecture_id: str, only: Generation | None = None) -> Learnt:
        """With its moments."""

        async def work(session: Session) -> Learnt:
            source = f"lecture:{lecture_id}"
            generations = await self._begin(source, only, session)
            document = await self._database.lectures.find_one({"_id": lecture_id}, session=session)
            lecture = from_document(Lecture, document) if document else None
            course = await self._course_of(lecture, session)
            if lecture is None or course is None or not lecture.published or not course.published:
                for each in generations:
                    await each.entries.delete_one({"_id": source}, session=session)
                    await each.moments.delete_many({"lecture": lecture_id}, session=session)
                    await _remember(each, source, {}, session)
                if lecture is None:
                    await self._database[TRANSCRIPTS].delete_many(
                        {"lecture_id": lecture_id}, session=session
                    )
                return Learnt()
            names = await self._names(None, lecture.instructors, session)
            entry = await asyncio.to_thread(lecture_entry, lecture, course, names)
            written = _entry_document(Kind.LECTURE, lecture_id, course, lecture.language, entry)
            transcripts = await self._transcripts(lecture_id, session)
            learnt = Learnt(generations, entry.everything.surfaces)
            for each in generations:
                await _write_entry(each, written, session)
                await _write_moments(each, source, course, transcripts, learnt, session)
            return learnt

        return await in_transaction(self._database, work)

    async def popularity(self, slug: str) -> None:
        """The course's views changed, nothing else."""

        async def work(session: Session) -> None:
            generations = await self._begin(f"course:{slug}", None, session)
            course = await self._database.courses.find_one({"_id": slug}, session=session)
            if course is None:
                return
            step = popularity(course["views"])
            for each in generations:
                await each.entries.update_many(
                    {"course": slug, "rank": {"$ne": course["views"]}},
                    {"$set": {"rank": course["views"]}},
                    session=session,
                )
                await each.moments.update_many(
                    {"course": slug, "rank": {"$ne": step}},
                    {"$set": {"rank": step}},
                    session=session,
                )

        await in_transaction(self._database, work)

    async def lectures_of(self, course: str) -> Sequence[str]:
        cursor = self._database.lectures.find({"course": course}, {"_id": 1})
        return [document["_id"] async for document in cursor]

    async def named_in(self, collection: str, slug: str) -> tuple[Sequence[str], Sequence[str]]:
        """Slugs of courses and ids of lectures that name an instructor, a university or a programme."""
        member = "programme" if collection == "programmes" else collection
        courses = self._database.courses.find({member: slug}, {"_id": 1})
        lectures: Sequence[str] = ()
        if collection == "instructors":
            cursor = self._database.lectures.find({"instructors": slug}, {"_id": 1})
            lectures = [document["_id"] async for document in cursor]
        return [document["_id"] async for document in courses], lectures

    async def _begin(
        self, source: str, only: Generation | None, session: Session
    ) -> Sequence[Generation]:
        generations = [only] if only else await self._generations.to_write(session)
        for each in generations:
            await each.sources.update_one(
                {"_id": source}, {"$inc": {"refreshed": 1}}, upsert=True, session=session
            )
        return generations

    async def _course_of(self, lecture: Lecture | None, session: Session) -> Course | None:
        if lecture is None:
            return None
        document = await self._database.courses.find_one({"_id": lecture.course}, session=session)
        return from_document(Course, document, key="slug") if document else None

    async def _names(
        self, course: Course | None, instructors: Sequence[str], session: Session
    ) -> list[Mapping[str, str]]:
        wanted = {"instructors": [*instructors]}
        if course is not None:
            wanted["universities"] = course.universities
            wanted["programmes"] = [course.programme] if course.programme else []
        names: list[Mapping[str, str]] = []
        for collection, slugs in wanted.items():
            if slugs:
                cursor = self._database[collection].find(
                    {"_id": {"$in": slugs}}, {"name": 1}, session=session
                )
                names += [document["name"] async for document in cursor]
        return names

    async def _transcripts(self, lecture_id: str, session: Session) -> list[Transcript]:
        cursor = self._database[TRANSCRIPTS].find({"lecture_id": lecture_id}, session=session)
        return [Transcript.model_validate(document) async for document in cursor]


async def _write_moments(
    generation: Generation,
    source: str,
    course: Course,
    transcripts: Sequence[Transcript],
    learnt: Learnt,
    session: Session,
) -> None:
    lecture_id = source.partition(":")[2]
    known = await generation.sources.find_one({"_id": source}, session=session)
    before: Mapping[str, str] = (known or {}).get("transcripts", {})
    now = {each.language: each.revision for each in transcripts}
    stale = [language for language in before if before[language] != now.get(language)]
    if stale:
        await generation.moments.delete_many(
            {"lecture": lecture_id, "language": {"$in": stale}}, session=session
        )
    for transcript in transcripts:
        if before.get(transcript.language) != transcript.revision:
            documents, surfaces = await asyncio.to_thread(
                _moment_documents, transcript, course.slug, popularity(course.views)
            )
            for start in range(0, len(documents), _AT_A_TIME):
                await generation.moments.insert_many(
                    documents[start : start + _AT_A_TIME], ordered=False, session=session
                )
            learnt.surfaces.update(surfaces)
    rank = popularity(course.views)
    await generation.moments.update_many(
        {"lecture": lecture_id, "rank": {"$ne": rank}}, {"$set": {"rank": rank}}, session=session
    )
    await _remember(generation, source, now, session)


async def _remember(
    generation: Generation, source: str, transcripts: Mapping[str, str], session: Session
) -> None:
    await generation.sources.update_one(
        {"_id": source}, {"$set": {"transcripts": dict(transcripts)}}, session=session
    )


def _entry_document(kind: Kind, key: str, course: Course, language: str, entry: Entry) -> Document:
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


async def _write_entry(generation: Generation, document: Document, session: Session) -> None:
    await generation.entries.replace_one(
        {"_id": document["_id"]}, document, upsert=True, session=session
    )


def _moment_documents(
    transcript: Transcript, course: str, rank: int
) -> tuple[list[Document], dict[str, frozenset[str]]]:
    documents: list[Document] = []
    surfaces: dict[str, frozenset[str]] = {}
    for number, cue in enumerate(transcript.cues):
        made = vocabulary([(transcript.language, cue.text)])
        for surface, terms in made.surfaces.items():
            surfaces[surface] = surfaces.get(surface, frozenset()) | terms
        documents.append(
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
    return documents, surfaces
