"""Courses and lectures into the index, as the catalogue has them now.

Everything happens in one transaction: the catalogue is read, terms are made in a thread, entries are
written. Two refreshes of the same source both write its document in `sources`, so the one that read
earlier cannot write later: it fails and starts again. A batch costs about ten commands however long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from academy.courses import Course, Lecture
from academy.mongo.client import Database, Document, Session, from_document, in_transaction
from academy.mongo.search.entry_documents import Writes, course_source, lecture_source, prepare
from academy.mongo.search.generations import Generation, Generations
from academy.mongo.search.learnt import Learnt
from academy.search.entries import Transcript, popularity

TRANSCRIPTS: Final = "caption_transcripts"


@dataclass(slots=True)
class Catalogue:
    """What a refresh read."""

    courses: Mapping[str, Course]
    lectures: Mapping[str, Lecture]
    names: Mapping[str, Mapping[str, Mapping[str, str]]]
    """By collection, then slug."""
    transcripts: Mapping[str, Sequence[Transcript]] = field(default_factory=dict)
    """By lecture."""


class Refresher:
    def __init__(self, database: Database, generations: Generations) -> None:
        self._database = database
        self._generations = generations

    async def refresh(
        self,
        courses: Sequence[str] = (),
        lectures: Sequence[str] = (),
        only: Generation | None = None,
    ) -> Learnt:
        """Lectures with their moments; into `only` that generation, or all that are in use.

        Returns the words, to be remembered.
        """
        sources = [*map(course_source, courses), *map(lecture_source, lectures)]

        async def work(session: Session) -> Learnt:
            generations = [only] if only else await self._generations.to_write(session)
            learnt = Learnt(generations)
            before = [await _begin(each, sources, session) for each in generations]
            catalogue = await self._read(courses, lectures, session)
            for generation, known in zip(generations, before, strict=True):
                writes = await asyncio.to_thread(prepare, courses, lectures, catalogue, known)
                await _write(generation, writes, session)
                learnt.surfaces.update(writes.surfaces)
            gone = [each for each in lectures if each not in catalogue.lectures]
            if gone:
                await self._database[TRANSCRIPTS].delete_many(
                    {"lecture_id": {"$in": gone}}, session=session
                )
            return learnt

        return await in_transaction(self._database, work) if sources else Learnt()

    async def popularity(self, slug: str) -> None:
        """The course's views changed, nothing else."""

        async def work(session: Session) -> None:
            generations = await self._generations.to_write(session)
            for each in generations:
                await _begin(each, [course_source(slug)], session)
            course = await self._database.courses.find_one({"_id": slug}, session=session)
            if course is None:
                return
            for each in generations:
                ranks = (
                    (each.entries, course["views"]),
                    (each.moments, popularity(course["views"])),
                )
                for collection, rank in ranks:
                    await collection.update_many(
                        {"course": slug, "rank": {"$ne": rank}},
                        {"$set": {"rank": rank}},
                        session=session,
                    )

        await in_transaction(self._database, work)

    async def lectures_of(self, courses: Collection[str]) -> Sequence[str]:
        cursor = self._database.lectures.find({"course": {"$in": [*courses]}}, {"_id": 1})
        return [document["_id"] async for document in cursor]

    async def named_in(self, collection: str, slug: str) -> tuple[Sequence[str], Sequence[str]]:
        """Slugs of courses and ids of lectures that name an instructor, a university or a programme."""
        member = "programme" if collection == "programmes" else collection
        cursor = self._database.courses.find({member: slug}, {"_id": 1})
        courses = [document["_id"] async for document in cursor]
        lectures: Sequence[str] = ()
        if collection == "instructors":
            inherited = {"course": {"$in": courses}, "instructors": []}
            where = {"$or": [{"instructors": slug}, inherited]}
            cursor = self._database.lectures.find(where, {"_id": 1})
            lectures = [document["_id"] async for document in cursor]
        return courses, lectures

    async def _read(self, slugs: Sequence[str], ids: Sequence[str], session: Session) -> Catalogue:
        found = await self._by_id("lectures", ids, session)
        lectures = {each["_id"]: from_document(Lecture, each) for each in found}
        wanted = {*slugs, *(each.course for each in lectures.values())}
        found = await self._by_id("courses", wanted, session)
        courses = {each["_id"]: from_document(Course, each, key="slug") for each in found}
        chosen = [courses[slug] for slug in slugs if slug in courses]
        named = {
            # All courses': lectures without instructors of their own are taught by them.
            "instructors": {slug for each in courses.values() for slug in each.instructors}
            | {slug for each in lectures.values() for slug in each.instructors},
            "universities": {slug for each in chosen for slug in each.universities},
            "programmes": {each.programme for each in chosen if each.programme is not None},
        }
        names = {}
        for collection, each in named.items():
            found = await self._by_id(collection, each, session)
            names[collection] = {one["_id"]: one["name"] for one in found}
        return Catalogue(courses, lectures, names, await self._transcripts(ids, session))

    async def _by_id(
        self, collection: str, keys: Collection[str], session: Session
    ) -> list[Document]:
        if not keys:
            return []
        cursor = self._database[collection].find({"_id": {"$in": sorted(keys)}}, session=session)
        return await cursor.to_list()

    async def _transcripts(
        self, lectures: Sequence[str], session: Session
    ) -> dict[str, list[Transcript]]:
        by_lecture: dict[str, list[Transcript]] = {}
        if lectures:
            cursor = self._database[TRANSCRIPTS].find(
                {"lecture_id": {"$in": [*lectures]}}, session=session
            )
            async for document in cursor:
                transcript = Transcript.model_validate(document)
                by_lecture.setdefault(transcript.lecture_id, []).append(transcript)
        return by_lecture


async def _begin(
    generation: Generation, sources: Sequence[str], session: Session
) -> dict[str, Document]:
    """Writes every source before anything is read, and returns what is known of it."""
    touch: list[Any] = [
        UpdateOne({"_id": source}, {"$inc": {"refreshed": 1}}, upsert=True)
        for source in sorted(sources)
    ]
    await generation.sources.bulk_write(touch, ordered=True, session=session)
    cursor = generation.sources.find({"_id": {"$in": [*sources]}}, session=session)
    return {document["_id"]: document async for document in cursor}


async def _write(generation: Generation, writes: Writes, session: Session) -> None:
    changed: list[Any] = [
        ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in writes.entries
    ]
    changed += [DeleteOne({"_id": each}) for each in writes.no_entries]
    if changed:
        await generation.entries.bulk_write(changed, ordered=False, session=session)
    if writes.stale_moments:
        await generation.moments.delete_many({"$or": writes.stale_moments}, session=session)
    if writes.moments:
        await generation.moments.insert_many(writes.moments, ordered=False, session=session)
    for lecture_id, rank in writes.ranks:
        await generation.moments.update_many(
            {"lecture": lecture_id, "rank": {"$ne": rank}},
            {"$set": {"rank": rank}},
            session=session,
        )
    known: list[Any] = [
        UpdateOne({"_id": source}, {"$set": {"transcripts": transcripts, "rank": rank}})
        for source, (transcripts, rank) in writes.known.items()
    ]
    if known:
        await generation.sources.bulk_write(known, ordered=False, session=session)
