"""Counts over everybody's progress, made by the server: no learner's document leaves the database.

Beyond `SAMPLE` learners a random part of about that many is counted and scaled up, so that a course of
50,000 costs no more than one of 5,000.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from academy.mongo.client import Database, Document, unavailable_when_down
from academy.statistics import Attention, Funnel, Need, running_totals

SAMPLE: Final = 5_000
_LIMIT: Final = 60_000
"""Milliseconds an aggregation may take."""
_AT_ONCE: Final = 4
"""Aggregations that run beside one another: they must not take the connections of everybody else."""
_START: Final[Document] = {"$first": "$$this"}
_END: Final[Document] = {"$last": "$$this"}


def _covered(duration: float) -> Document:
    """Seconds of `watched` within the lecture."""
    inside: Document = {"$subtract": [{"$min": [_END, duration]}, _START]}
    return {"$sum": {"$map": {"input": "$watched", "in": {"$max": [0, inside]}}}}


def _sampled(count: int) -> tuple[list[Document], float]:
    """The stage that leaves about SAMPLE of `count` documents, and the share that is left."""
    if count <= SAMPLE:
        return [], 1.0
    rate = SAMPLE / count
    return [{"$match": {"$sampleRate": rate}}], rate


@unavailable_when_down
class MongoStatisticsStore:
    """Implements `academy.learner_stores.StatisticsStore`."""

    def __init__(self, database: Database) -> None:
        self._enrolments = database.enrolments
        self._certificates = database.certificates
        self._progress = database.progress

    async def funnel(self, course: str, needs: Sequence[Need], *, since: datetime) -> Funnel:
        enrolled = await self._enrolments.count_documents({"course": course})
        certified = await self._certificates.count_documents({"course": course, "revoked_at": None})
        sampling, rate = _sampled(enrolled)
        # A learner's lectures that are done; which of them counts decides its own need.
        done: Document = {
            "$or": [
                {
                    "$and": [
                        {"$eq": ["$lecture", need.lecture]},
                        {"$gte": [_covered(need.duration), need.seconds]},
                    ]
                }
                for need in needs
            ]
        }
        counted = {"lecture": {"$in": [need.lecture for need in needs]}}
        rows = await self._rows(
            self._enrolments,
            [
                {"$match": {"course": course}},
                *sampling,
                {
                    "$lookup": {
                        "from": "progress",
                        "localField": "subject",
                        "foreignField": "subject",
                        "pipeline": [{"$match": counted}, {"$project": {"at": 1, "done": done}}],
                        "as": "lectures",
                    }
                },
                {"$match": {"lectures": {"$ne": []}}},
                {
                    "$project": {
                        "at": {"$max": "$lectures.at"},
                        "done": {
                            "$size": {"$filter": {"input": "$lectures", "cond": "$$this.done"}}
                        },
                    }
                },
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
            if needs
            else [{"$match": {"_id": None}}],
        )
        found = rows[0] if rows else {}
        names = ("started", "halfway", "completed", "active")
        scaled = {name: min(enrolled, round(found.get(name, 0) / rate)) for name in names}
        return Funnel(enrolled=enrolled, certified=certified, **scaled)

    async def attention(self, needs: Sequence[Need], buckets: int) -> Sequence[Attention]:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def of(need: Need) -> Attention:
            async with turn:
                return await self._attention(need, buckets)

        return await asyncio.gather(*(of(need) for need in needs))

    async def _attention(self, need: Need, buckets: int) -> Attention:
        sampling, rate = _sampled(await self._progress.count_documents({"lecture": need.lecture}))

        def part(second: Document) -> Document:
            return {"$multiply": [second, buckets / need.duration]}

        def middle(second: Document) -> Document:
            """The first part whose middle is not before `second`."""
            return {"$ceil": {"$subtract": [part(second), 0.5]}}

        # Part k is seen by whoever saw its middle. Merged ranges hold a middle at most once, so
        # what begins and ends, added up from the left, counts learners.
        edges: Document = {
            "$reduce": {
                "input": "$watched",
                "initialValue": [],
                "in": {
                    "$concatArrays": [
                        "$$value",
                        [{"part": middle(_START), "by": 1}, {"part": middle(_END), "by": -1}],
                    ]
                },
            }
        }
        rows = await self._rows(
            self._progress,
            [
                {"$match": {"lecture": need.lecture, "watched": {"$ne": []}}},
                *sampling,
                {
                    "$project": {
                        "edges": edges,
                        "end": {"$floor": part({"$last": {"$last": "$watched"}})},
                        "done": {"$gte": [_covered(need.duration), need.seconds]},
                    }
                },
                {
                    "$facet": {
                        "edges": [
                            {"$unwind": "$edges"},
                            {"$group": {"_id": "$edges.part", "by": {"$sum": "$edges.by"}}},
                        ],
                        "ends": [{"$group": {"_id": "$end", "count": {"$sum": 1}}}],
                        "whole": [
                            {
                                "$group": {
                                    "_id": None,
                                    "started": {"$sum": 1},
                                    "completed": _count("$done"),
                                }
                            }
                        ],
                    }
                },
            ],
        )
        found = rows[0]
        whole = found["whole"][0] if found["whole"] else {"started": 0, "completed": 0}
        changes = {int(row["_id"]): row["by"] for row in found["edges"]}
        leavers = [0] * buckets
        for row in found["ends"]:
            leavers[min(int(row["_id"]), buckets - 1)] += row["count"]
        return Attention(
            lecture=need.lecture,
            started=round(whole["started"] / rate),
            completed=round(whole["completed"] / rate),
            viewers=tuple(round(each / rate) for each in running_totals(changes, buckets)),
            leavers=tuple(round(each / rate) for each in leavers),
        )

    async def _rows(self, collection: Any, pipeline: Sequence[Document]) -> list[Document]:
        cursor = await collection.aggregate(pipeline, maxTimeMS=_LIMIT)
        rows: list[Document] = await cursor.to_list()
        return rows


def _count(condition: Any) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}
