"""Counts over everybody's progress, made by the server: no learner's document leaves the database.

Each reads the progress of the course's counted lectures once, by the index on `lecture`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from academy.mongo.client import Database, Document, unavailable_when_down
from academy.statistics import Funnel, Leaving, Need, Passing, running_totals

_LIMIT: Final = 30_000
"""Milliseconds an aggregation may take."""
_COVERED: Final[Document] = {
    "$sum": {
        "$map": {
            "input": "$watched",
            "in": {
                "$max": [
                    0,
                    {
                        "$subtract": [
                            {"$min": [{"$last": "$$this"}, "$duration"]},
                            {"$first": "$$this"},
                        ]
                    },
                ]
            },
        }
    }
}


def _of_lecture(needs: Sequence[Need], member: str) -> Document:
    """The value of `member` that belongs to a document's lecture."""
    branches = [
        {"case": {"$eq": ["$lecture", need.lecture]}, "then": getattr(need, member)}
        for need in needs
    ]
    return {"$switch": {"branches": branches, "default": None}}


def _watched(needs: Sequence[Need]) -> list[Document]:
    return [
        {"$match": {"lecture": {"$in": [need.lecture for need in needs]}}},
        {
            "$project": {
                "lecture": 1,
                "subject": 1,
                "watched": 1,
                "at": 1,
                "duration": _of_lecture(needs, "duration"),
                "needed": _of_lecture(needs, "seconds"),
            }
        },
    ]


@unavailable_when_down
class MongoStatisticsStore:
    """Implements `academy.learner_stores.StatisticsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._progress = database.progress

    async def _rows(self, pipeline: Sequence[Document]) -> list[Document]:
        cursor = await self._progress.aggregate(pipeline, allowDiskUse=True, maxTimeMS=_LIMIT)
        return await cursor.to_list()

    async def funnel(self, course: str, needs: Sequence[Need], *, since: datetime) -> Funnel:
        enrolled = await self._database.enrolments.count_documents({"course": course})
        certified = await self._database.certificates.count_documents(
            {"course": course, "revoked_at": None}
        )
        counts = {"started": 0, "halfway": 0, "completed": 0, "active": 0}
        if needs:
            done: Document = {"$cond": [{"$gte": [_COVERED, "$needed"]}, 1, 0]}
            found = await self._rows(
                [
                    *_watched(needs),
                    {"$group": {"_id": "$subject", "done": {"$sum": done}, "at": {"$max": "$at"}}},
                    {"$set": {"key": {"course": course, "subject": "$_id"}}},
                    {
                        "$lookup": {
                            "from": "enrolments",
                            "localField": "key",
                            "foreignField": "_id",
                            "as": "enrolled",
                        }
                    },
                    {"$match": {"enrolled": {"$ne": []}}},
                    {
                        "$group": {
                            "_id": None,
                            "started": {"$sum": 1},
                            "halfway": _count({"$gte": ["$done", len(needs) / 2]}),
                            "completed": _count({"$gte": ["$done", len(needs)]}),
                            "active": _count({"$gte": ["$at", since]}),
                        }
                    },
                ]
            )
            counts |= {name: found[0][name] for name in counts} if found else {}
        return Funnel(enrolled=enrolled, certified=certified, **counts)

    async def passing(self, needs: Sequence[Need], buckets: int) -> Sequence[Passing]:
        if not needs:
            return []
        # Part k is seen by whoever saw its middle. Merged ranges hold a middle at most once, so
        # what begins and ends, added up from the left, counts learners.
        edge: dict[str, Document] = {
            name: {
                "$ceil": {
                    "$subtract": [
                        {"$divide": [{"$multiply": [{side: "$watched"}, buckets]}, "$duration"]},
                        0.5,
                    ]
                }
            }
            for name, side in (("first", "$first"), ("last", "$last"))
        }
        changes: dict[str, dict[int, int]] = {need.lecture: {} for need in needs}
        rows = await self._rows(
            [
                *_watched(needs),
                {"$unwind": "$watched"},
                {
                    "$project": {
                        "lecture": 1,
                        "edges": [
                            {"part": edge["first"], "by": 1},
                            {"part": edge["last"], "by": -1},
                        ],
                    }
                },
                {"$unwind": "$edges"},
                {
                    "$group": {
                        "_id": {"lecture": "$lecture", "part": "$edges.part"},
                        "by": {"$sum": "$edges.by"},
                    }
                },
            ]
        )
        for row in rows:
            changes[row["_id"]["lecture"]][int(row["_id"]["part"])] = row["by"]
        audience = await self._rows(
            [
                *_watched(needs),
                {"$match": {"watched": {"$ne": []}}},
                {
                    "$group": {
                        "_id": "$lecture",
                        "started": {"$sum": 1},
                        "completed": _count({"$gte": [_COVERED, "$needed"]}),
                    }
                },
            ]
        )
        by_lecture = {row["_id"]: row for row in audience}
        nobody = {"started": 0, "completed": 0}
        return [
            Passing(
                lecture=need.lecture,
                started=by_lecture.get(need.lecture, nobody)["started"],
                completed=by_lecture.get(need.lecture, nobody)["completed"],
                viewers=running_totals(changes[need.lecture], buckets),
            )
            for need in needs
        ]

    async def leaving(self, needs: Sequence[Need], buckets: int) -> Sequence[Leaving]:
        if not needs:
            return []
        end: Document = {"$last": {"$last": "$watched"}}
        part: Document = {"$floor": {"$divide": [{"$multiply": [end, buckets]}, "$duration"]}}
        rows = await self._rows(
            [
                *_watched(needs),
                {"$match": {"watched": {"$ne": []}}},
                {"$group": {"_id": {"lecture": "$lecture", "part": part}, "count": {"$sum": 1}}},
            ]
        )
        leavers: dict[str, list[int]] = {need.lecture: [0] * buckets for need in needs}
        for row in rows:
            leavers[row["_id"]["lecture"]][min(int(row["_id"]["part"]), buckets - 1)] += row[
                "count"
            ]
        return [Leaving(need.lecture, tuple(leavers[need.lecture])) for need in needs]


def _count(condition: Any) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}
