"""Finding: tier after tier until the page is full, then every hit checked against the catalogue.

The check is what makes unpublishing and deleting immediate: the index may be late, the catalogue is not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from academy.courses import Course, Lecture
from academy.errors import BadCursor
from academy.mongo.client import Database, Document, from_document
from academy.mongo.paging import after_key, number_of, text_of
from academy.mongo.search.generations import Generation, Generations
from academy.mongo.search.learnt import HEAD
from academy.mongo.search.refresh import TRANSCRIPTS
from academy.mongo.search.selection import Tier, tiers
from academy.search.entries import Kind
from academy.search.hits import CourseHit, Hit, LectureHit, MomentHit
from academy.search.query import Query
from academy.store_values import Page, Position

MOST_CONTINUATIONS: Final = 16
"""Words that what is being typed may become; the usual ones first."""
MOST_MILLISECONDS: Final = 2_000
"""Of one read at the database."""
_MOST_READS: Final = 5
"""Of a page that loses hits to the check: then it is shown shorter than asked."""


@dataclass(frozen=True, slots=True)
class Finder:
    database: Database
    generations: Generations

    async def find(
        self,
        query: Query,
        *,
        kinds: Several[Kind],
        language: str | None,
        limit: int,
        after: Position | None,
    ) -> Page[Hit]:
        generation = await self.generations.serving()
        if generation is None or not query.words:
            return Page(items=[])
        continued = await self._continuations(generation, query)
        walk = _Walk(generation, _steps([*tiers(query, continued, kinds, language)], after))
        found: list[tuple[Document, Hit]] = []
        for _ in range(_MOST_READS):
            documents = await walk.read(limit + 1 - len(found))
            found += await self._visible(documents)
            if len(found) > limit or walk.ended:
                break
        items = [hit for _, hit in found[:limit]]
        if len(found) > limit:
            return Page(items, _position(found[limit - 1][0]))
        # A page that lost hits to the check goes on from where it stopped looking.
        return Page(items, None if walk.ended or walk.last is None else _position(walk.last))

    async def _continuations(self, generation: Generation, query: Query) -> set[str]:
        """Terms of usual words that begin with the last one, without its own."""
        typing = query.typing
        if typing is None:
            return set()
        longer = {"$ne": typing}
        if len(typing) > HEAD:
            longer["$regex"] = f"^{re.escape(typing)}"
        words = generation.words.find(
            {"heads": typing[:HEAD], "_id": longer},
            {"terms": 1},
            sort=[("count", -1)],
            limit=MOST_CONTINUATIONS,
            max_time_ms=MOST_MILLISECONDS,
        )
        terms = {term async for word in words for term in word["terms"]}
        return terms - query.words[-1].terms

    async def _visible(self, documents: Sequence[Document]) -> list[tuple[Document, Hit]]:
        if not documents:
            return []
        slugs = {each["course"] for each in documents}
        ids = {each["lecture"] for each in documents if "lecture" in each}
        ids |= {each["key"] for each in documents if each.get("kind") == Kind.LECTURE}
        spoken = {_transcript_of(each) for each in documents if "lecture" in each}
        courses, lectures, transcripts = await asyncio.gather(
            self._by_id("courses", slugs), self._by_id("lectures", ids), self._revisions(spoken)
        )
        return [
            (document, hit)
            for document in documents
            if (hit := _hit(document, courses, lectures, transcripts)) is not None
        ]

    async def _by_id(self, collection: str, keys: Several[str]) -> dict[str, Document]:
        if not keys:
            return {}
        cursor = self.database[collection].find({"_id": {"$in": sorted(keys)}})
        return {document["_id"]: document async for document in cursor}

    async def _revisions(self, keys: Several[str]) -> dict[str, str]:
        if not keys:
            return {}
        where = {"_id": {"$in": sorted(keys)}}
        cursor = self.database[TRANSCRIPTS].find(where, {"revision": 1})
        return {document["_id"]: document["revision"] async for document in cursor}


@dataclass(frozen=True, slots=True)
class _Step:
    """A tier from `after` on. A cursor within a tier of two kinds makes two steps of it."""

    tier: Tier
    after: tuple[int, str] | None = None
    """Rank and id."""


def _steps(every: Sequence[Tier], after: Position | None) -> Iterator[_Step]:
    if after is None:
        yield from map(_Step, every)
        return
    name, kind = text_of(after, "tier"), text_of(after, "kind")
    index = next((at for at, tier in enumerate(every) if tier.name == name), None)
    if index is None or kind not in every[index].kinds:
        raise BadCursor
    tier = every[index]
    here = tier.kinds.index(Kind(kind))
    yield _Step(
        replace(tier, kinds=(tier.kinds[here],)), (number_of(after, "rank"), text_of(after, "id"))
    )
    if tier.kinds[here + 1 :]:
        yield _Step(replace(tier, kinds=tier.kinds[here + 1 :]))
    yield from map(_Step, every[index + 1 :])


@dataclass(slots=True)
class _Walk:
    """Documents of one step after the other."""

    generation: Generation
    steps: Iterator[_Step]
    current: _Step | None = None
    last: Document | None = None
    ended: bool = False

    async def read(self, wanted: int) -> list[Document]:
        """So many, or all that are left: then it has `ended`."""
        documents: list[Document] = []
        while len(documents) < wanted:
            self.current = self.current or next(self.steps, None)
            if self.current is None:
                self.ended = True
                break
            missing = wanted - len(documents)
            read = await self._of(self.current, missing)
            documents += read
            if len(read) < missing:
                self.current = None
            else:
                # The rest of this tier may have two kinds; what is left of it begins after this one.
                rest = _steps([self.current.tier], _position(read[-1]))
                self.steps = _chain(rest, self.steps)
                self.current = None
        if documents:
            self.last = documents[-1]
        return documents

    async def _of(self, step: _Step, limit: int) -> list[Document]:
        tier = step.tier
        filters = [tier.where]
        sort = [("rank", -1), ("_id", 1)]
        if not tier.moments:
            sort.insert(0, ("kind", 1))
            if len(tier.kinds) == 1:
                filters.append({"kind": tier.kinds[0].value})
        if step.after is not None:
            filters.append(after_key("rank", -1, *step.after))
        cursor = (self.generation.moments if tier.moments else self.generation.entries).find(
            {"$and": filters},
            {"title": 0, "terms": 0, "folded": 0},
            sort=sort,
            limit=limit,
            max_time_ms=MOST_MILLISECONDS,
        )
        return [document | {"tier": tier.name} async for document in cursor]


def _chain(first: Iterator[_Step], second: Iterator[_Step]) -> Iterator[_Step]:
    yield from first
    yield from second


def _position(document: Document) -> Position:
    return {
        "tier": document["tier"],
        "kind": document.get("kind", Kind.MOMENT.value),
        "rank": document["rank"],
        "id": document["_id"],
    }


def _transcript_of(moment: Document) -> str:
    return f"{moment['lecture']}:{moment['language']}"


def _hit(
    document: Document,
    courses: Mapping[str, Document],
    lectures: Mapping[str, Document],
    transcripts: Mapping[str, str],
) -> Hit | None:
    """None for what the catalogue does not show (any more)."""
    found = courses.get(document["course"])
    if found is None or found["published_at"] is None:
        return None
    course = from_document(Course, found, key="slug")
    if document.get("kind") == Kind.COURSE:
        return CourseHit(course)
    lying = lectures.get(document["key"] if "key" in document else document["lecture"])
    if lying is None or not lying["published"] or lying["course"] != course.slug:
        return None
    lecture = from_document(Lecture, lying)
    if "key" in document:
        return LectureHit(lecture, course)
    if transcripts.get(_transcript_of(document)) != document["revision"]:
        return None
    return MomentHit(
        lecture=lecture,
        course=course,
        start=document["start"],
        end=document["end"],
        text=document["text"],
        language=document["language"],
    )
