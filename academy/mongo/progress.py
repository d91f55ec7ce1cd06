"""Progress: one document per learner and lecture, joined with heartbeats by the server itself.

The join is an aggregation pipeline in an update, so that a batch is one write without a read before it,
atomic per document, and several API processes may write of one learner at once. It does what
`academy.progress.Heartbeat.joined` and `academy.watched` do; a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import UpdateOne

from academy.mongo.client import Database, Document, unavailable_when_down
from academy.mongo.forgetting import Forgetting
from academy.mongo.paging import instant_of, text_of
from academy.progress import Heartbeat, Progress
from academy.store_values import Page, Position
from academy.watched import MOST_RANGES


def key(beat: Heartbeat) -> Document:
    """The order of the members matters: `_id` is compared as bytes."""
    return {"_id": {"lecture": beat.lecture, "subject": beat.subject}}


def _build(document: Document) -> Progress:
    return Progress(
        subject=document["subject"],
        lecture=document["lecture"],
        course=document["course"],
        position=document["position"],
        watched=tuple((start, end) for start, end in document["watched"]),
        at=document["at"],
        started_at=document["started_at"],
        session=document["session"],
        sequence=document["sequence"],
    )


_START: Final[Document] = {"$first": "$$this"}
_END: Final[Document] = {"$last": "$$this"}
# Walks the sorted ranges with one of them open; a range that begins beyond its end closes it.
_UNION: Final[Document] = {
    "$reduce": {
        "input": {"$slice": ["$$sorted", 1, 10**6]},
        "initialValue": {"closed": [], "open": {"$first": "$$sorted"}},
        "in": {
            "$cond": [
                {"$lte": [_START, {"$last": "$$value.open"}]},
                {
                    "closed": "$$value.closed",
                    "open": [
                        {"$first": "$$value.open"},
                        {"$max": [{"$last": "$$value.open"}, _END]},
                    ],
                },
                {
                    "closed": {"$concatArrays": ["$$value.closed", ["$$value.open"]]},
                    "open": "$$this",
                },
            ]
        },
    }
}
# Longest first, of equals the earlier; cut; then by start again.
_BOUNDED: Final[Document] = {
    "$sortArray": {
        "input": {
            "$map": {
                "input": {
                    "$slice": [
                        {
                            "$sortArray": {
                                "input": {
                                    "$map": {
                                        "input": "$$all",
                                        "in": {
                                            "length": {"$subtract": [_END, _START]},
                                            "start": _START,
                                            "range": "$$this",
                                        },
                                    }
                                },
                                "sortBy": {"length": -1, "start": 1},
                            }
                        },
                        MOST_RANGES,
                    ]
                },
                "in": "$$this.range",
            }
        },
        "sortBy": 1,
    }
}
_MERGED: Final[Document] = {
    "$let": {
        "vars": {
            "sorted": {
                "$sortArray": {
                    "input": {"$concatArrays": [{"$ifNull": ["$watched", []]}, "$new.watched"]},
                    "sortBy": 1,
                }
            }
        },
        "in": {
            "$cond": [
                {"$eq": ["$$sorted", []]},
                [],
                {
                    "$let": {
                        "vars": {"union": _UNION},
                        "in": {
                            "$let": {
                                "vars": {
                                    "all": {"$concatArrays": ["$$union.closed", ["$$union.open"]]}
                                },
                                "in": {
                                    "$cond": [
                                        {"$gt": [{"$size": "$$all"}, MOST_RANGES]},
                                        _BOUNDED,
                                        "$$all",
                                    ]
                                },
                            }
                        },
                    }
                },
            ]
        },
    }
}
_SUPERSEDES: Final[Document] = {
    "$cond": [
        {"$and": [{"$ne": ["$new.session", None]}, {"$eq": ["$new.session", "$session"]}]},
        {"$gte": ["$new.sequence", "$sequence"]},
        {"$gte": ["$new.at", {"$ifNull": ["$at", "$new.at"]}]},
    ]
}


def _newest(member: str) -> Document:
    return {"$cond": ["$newest", f"$new.{member}", f"${member}"]}


_JOIN: Final[Sequence[Document]] = (
    {"$set": {"watched": _MERGED, "newest": _SUPERSEDES}},
    {
        "$set": {
            "position": _newest("position"),
            "session": _newest("session"),
            "sequence": _newest("sequence"),
            "at": {"$max": ["$at", "$new.at"]},
            "started_at": {"$ifNull": ["$started_at", "$new.at"]},
        }
    },
    {"$unset": ["new", "newest"]},
)


def joining(beat: Heartbeat) -> list[Document]:
    """The pipeline that joins a document with a heartbeat."""
    new = {
        "position": beat.position,
        "watched": beat.watched,
        "at": beat.at,
        "session": beat.session,
        "sequence": beat.sequence,
    }
    # Literal: a session's name is what a client sent, and might begin with a dollar sign.
    arrived = {
        "$set": {
            "subject": {"$literal": beat.subject},
            "lecture": {"$literal": beat.lecture},
            "course": {"$literal": beat.course},
            "new": {"$literal": new},
        }
    }
    return [arrived, *_JOIN]


@unavailable_when_down
class MongoProgressStore:
    """Implements `academy.learner_stores.ProgressStore`."""

    def __init__(self, database: Database, forgetting: Forgetting) -> None:
        self._database = database
        self._progress = database.progress
        self._forgetting = forgetting

    async def record(self, beats: Sequence[Heartbeat]) -> Sequence[Heartbeat]:
        if not beats:
            return []
        written = await self._progress.bulk_write(
            [UpdateOne(key(beat), joining(beat), upsert=True) for beat in beats], ordered=False
        )
        begun = [beats[index] for index in written.upserted_ids or {}]
        gone = await self._forgetting.newly_erased()
        if gone:
            erased = [key(beat) for beat in beats if beat.subject in gone]
            if erased:
                await self._progress.delete_many({"$or": erased})
        return [beat for beat in begun if beat.subject not in gone]

    async def viewed(self, views: Mapping[tuple[str, str], int]) -> None:
        by_course: dict[str, int] = {}
        for (course, _), count in views.items():
            by_course[course] = by_course.get(course, 0) + count
        for collection, counts in (
            (self._database.lectures, {lecture: n for (_, lecture), n in views.items()}),
            (self._database.courses, by_course),
        ):
            if counts:
                await collection.bulk_write(
                    [
                        UpdateOne({"_id": key}, {"$inc": {"views": by}})
                        for key, by in counts.items()
                    ],
                    ordered=False,
                )

    async def of_course(self, subject: str, course: str) -> Mapping[str, Progress]:
        return (await self.of_courses(subject, [course])).get(course, {})

    async def of_courses(
        self, subject: str, courses: Sequence[str]
    ) -> Mapping[str, Mapping[str, Progress]]:
        found: dict[str, dict[str, Progress]] = {}
        cursor = self._progress.find({"subject": subject, "course": {"$in": [*courses]}})
        async for document in cursor:
            found.setdefault(document["course"], {})[document["lecture"]] = _build(document)
        return found

    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Progress]:
        """Sorted without an index: `at` changes with every heartbeat, and a learner has few hundred."""
        where: dict[str, Any] = {"subject": subject}
        if after is not None:
            end = instant_of(after, "at")
            where["$or"] = [
                {"at": {"$lt": end}},
                {"at": end, "lecture": {"$gt": text_of(after, "lecture")}},
            ]
        cursor = self._progress.find(where, sort=[("at", -1), ("lecture", 1)], limit=limit + 1)
        found = [_build(document) async for document in cursor]
        shown = found[:limit]
        more = len(found) > limit
        return Page(
            items=shown,
            next={"at": shown[-1].at.isoformat(), "lecture": shown[-1].lecture} if more else None,
        )
