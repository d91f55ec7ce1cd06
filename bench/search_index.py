"""The search index of the data set, filled at once: entries as a refresh makes them, written in bulk.

`academy reindex` reads the catalogue again and writes in transactions of fifty sources, so that it is safe
while others write. Nobody does here: two processes make the terms and write them, in about a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from typing import Final

from pymongo import MongoClient, WriteConcern

from academy.courses import Course, Lecture
from academy.mongo.client import Document, plain
from academy.mongo.search.entry_documents import Writes, course_source, lecture_source, prepare
from academy.mongo.search.learnt import Learning, Learnt
from academy.mongo.search.refresh import TRANSCRIPTS, Catalogue
from academy.mongo.stores import MongoStores
from academy.search.entries import Cue, Transcript
from academy.search.words import warm_up
from bench import catalogue_data as data

PROCESSES: Final = 2
COURSES_AT_ONCE: Final = 20
"""With their lectures and captions: two thousand moments in one write."""


async def fill(stores: MongoStores, url: str, database: str) -> None:
    """A generation that serves, of everything in the data set, and its transcripts."""
    generation = await stores.search.generations.begin()
    names = [each.name for each in (generation.entries, generation.moments, generation.sources)]
    learning = Learning()
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), warm_up) as pool:
        shares = range(PROCESSES)
        for surfaces in pool.map(partial(_fill_share, url, database, names), shares):
            for each in surfaces:
                learning.add(Learnt(surfaces=each))
    await learning.write(generation)
    await stores.search.generations.switch(generation)


def _fill_share(
    url: str, database: str, names: list[str], share: int
) -> list[dict[str, frozenset[str]]]:
    """Every so many-th batch of courses. Returns their words."""
    unacknowledged_on_disk = WriteConcern(w=1, j=False)
    learnt: list[dict[str, frozenset[str]]] = []
    with MongoClient[Document](url) as client:
        into = client.get_database(database, write_concern=unacknowledged_on_disk)
        entries, moments, sources = (into[name] for name in names)
        for courses, lectures, transcripts in _batches(share):
            into[TRANSCRIPTS].insert_many(
                ({"_id": f"{one.lecture_id}:{one.language}", **plain(one)} for one in transcripts),
                ordered=False,
            )
            writes = _prepared(courses, lectures, transcripts)
            entries.insert_many(writes.entries, ordered=False)
            moments.insert_many(writes.moments, ordered=False)
            sources.insert_many(_sources(courses, lectures, writes), ordered=False)
            learnt.append(writes.surfaces)
    return learnt


def _prepared(
    courses: list[Course], lectures: list[Lecture], transcripts: list[Transcript]
) -> Writes:
    by_lecture = {one.lecture_id: [one] for one in transcripts}
    catalogue = Catalogue(
        {one.slug: one for one in courses}, {one.id: one for one in lectures}, _names(), by_lecture
    )
    slugs, ids = list(catalogue.courses), list(catalogue.lectures)
    return prepare(slugs, ids, catalogue, {lecture_source(each): {} for each in ids})


def _names() -> dict[str, dict[str, Mapping[str, str]]]:
    return {
        "universities": {one.slug: one.name for one in data.universities()},
        "programmes": {one.slug: one.name for one in data.programmes()},
        "instructors": {one.slug: one.name for one in data.instructors()},
    }


def _sources(
    courses: Iterable[Course], lectures: Iterable[Lecture], writes: Writes
) -> Iterator[Document]:
    for course in courses:
        yield {"_id": course_source(course.slug), "refreshed": 1}
    for lecture in lectures:
        source = lecture_source(lecture.id)
        transcripts, rank = writes.known[source]
        yield {"_id": source, "refreshed": 1, "transcripts": transcripts, "rank": rank}


def _batches(share: int) -> Iterator[tuple[list[Course], list[Lecture], list[Transcript]]]:
    """The data set is made in the order of its courses, and every process makes all of it."""
    lectures = groupby(data.lectures(), key=lambda one: one.course)
    spoken = groupby(data.cues(), key=lambda one: one.course)
    batch: tuple[list[Course], list[Lecture], list[Transcript]] = ([], [], [])
    number = 0
    for course, (_, taught), (_, said) in zip(data.courses(), lectures, spoken, strict=True):
        batch[0].append(course)
        batch[1].extend(taught)
        batch[2].extend(_transcripts(said))
        if len(batch[0]) == COURSES_AT_ONCE:
            if number % PROCESSES == share:
                yield batch
            number += 1
            batch = ([], [], [])
    if batch[0] and number % PROCESSES == share:
        yield batch


def _transcripts(said: Iterable[data.Cue]) -> Iterator[Transcript]:
    for lecture_id, spoken in groupby(said, key=lambda cue: cue.lecture_id):
        cues = list(spoken)
        yield Transcript(
            lecture_id=lecture_id,
            language=cues[0].language,
            cues=[Cue(start=cue.start, end=cue.end, text=cue.text) for cue in cues],
            revision="1",
        )
