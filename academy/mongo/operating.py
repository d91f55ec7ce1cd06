"""The operators' view: the queue in figures, the transcoders, jobs with what they belong to, and campaigns.

Costs a handful of indexed counts; only `chosen` and `candidates` walk a whole collection, for commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from academy.correlation import request_id
from academy.errors import NotFound
from academy.jobs import ACTIVE, Failure, Job, JobState
from academy.mongo.client import (
    Database,
    Document,
    from_document,
    to_document,
    unavailable_when_down,
)
from academy.mongo.paging import after_key, instant_of, text_of
from academy.operating import AWAY_AFTER, Again, JobReport, Queue, Transcoder
from academy.recordings import Recording
from academy.store_values import Page, Position
from academy.tracing import traceparent

_QUEUED: Final = JobState.QUEUED.value
_RUNNING: Final = JobState.RUNNING.value
_DUE: Final[Document] = {"$lte": ["$not_before", "$$NOW"]}
_NEWEST: Final[list[Document]] = [
    {"$sort": {"lecture_id": 1, "number": -1, "ordinal": -1}},
    {"$group": {"_id": "$lecture_id", "job": {"$first": "$$ROOT"}}},
    {"$replaceWith": "$job"},
]
"""The newest job of each lecture's newest recording."""


def _one(source: str, local: str, name: str, *fields: str) -> Document:
    return {
        "$lookup": {
            "from": source,
            "localField": local,
            "foreignField": "_id",
            "pipeline": [{"$project": dict.fromkeys(fields, 1)}],
            "as": name,
        }
    }


@unavailable_when_down
class MongoOperatorStore:
    """Implements `academy.operating.OperatorStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs = database.jobs

    async def queue(self) -> Queue:
        states = await self._counted({}, "$state")
        due: Document = {"state": _QUEUED, "$expr": _DUE}
        waited = {"$dateDiff": {"startDate": "$since", "endDate": "$$NOW", "unit": "millisecond"}}
        cursor = await self._jobs.aggregate(
            [
                {"$match": due},
                # A job that paused after a failure has waited since the pause ended.
                {"$set": {"since": {"$max": ["$created_at", "$not_before"]}}},
                {"$group": {"_id": None, "ready": {"$sum": 1}, "oldest": {"$max": waited}}},
            ]
        )
        found = await cursor.to_list()
        ready: Document = found[0] if found else {"ready": 0, "oldest": None}
        expired: Document = {"$lte": ["$lease.expires_at", "$$NOW"]}
        queued = states.get(_QUEUED, 0)
        return Queue(
            states={state: states.get(state.value, 0) for state in JobState},
            ready=ready["ready"],
            waiting=max(0, queued - ready["ready"]),
            oldest=None if ready["oldest"] is None else max(0.0, ready["oldest"] / 1000),
            stale=await self._jobs.count_documents({"state": _RUNNING, "$expr": expired}),
            failures=await self._counted({"state": JobState.FAILED.value}, "$failure.code"),
        )

    async def _counted(self, where: Document, by: str) -> dict[str, int]:
        cursor = await self._jobs.aggregate(
            [{"$match": where}, {"$group": {"_id": by, "count": {"$sum": 1}}}]
        )
        return {found["_id"] or "unknown": found["count"] async for found in cursor}

    async def transcoders(self) -> Sequence[Transcoder]:
        since = {"$subtract": ["$$NOW", "$seen_at"]}
        cursor = await self._database.transcoders.aggregate(
            [
                {"$set": {"away": {"$gt": [since, AWAY_AFTER.total_seconds() * 1000]}}},
                {"$sort": {"seen_at": -1, "_id": 1}},
                {"$limit": 200},
            ]
        )
        return [
            Transcoder(
                id=found["_id"],
                **{name: found[name] for name in Transcoder.__slots__ if name != "id"},
            )
            async for found in cursor
        ]

    async def report(
        self, transcoder_id: str, *, leases: int, encoders: int | None, encoder: str, profile: str
    ) -> None:
        told: dict[str, Any] = {
            "leases": leases,
            "encoders": encoders,
            "encoder": {"$literal": encoder},
            "profile": {"$literal": profile},
        }
        await self._database.transcoders.update_one(
            {"_id": transcoder_id},
            [
                {
                    "$set": {
                        **told,
                        "seen_at": "$$NOW",
                        "started_at": {"$ifNull": ["$started_at", "$$NOW"]},
                    }
                }
            ],
            upsert=True,
        )

    async def leave(self, transcoder_id: str) -> None:
        await self._database.transcoders.delete_one({"_id": transcoder_id})

    async def jobs(
        self, state: JobState | None, *, limit: int, after: Position | None = None
    ) -> Page[JobReport]:
        where: Document = {} if state is None else {"state": state.value}
        if after is not None:
            created = instant_of(after, "created_at")
            where |= after_key("created_at", -1, created, text_of(after, "id"))
        cursor = await self._jobs.aggregate(
            [
                {"$match": where},
                {"$sort": {"created_at": -1, "_id": 1}},
                {"$limit": limit + 1},
                _one("lectures", "lecture_id", "lecture", "course", "title"),
                _one("recordings", "recording_id", "recording", "filename", "size"),
                {
                    "$lookup": {
                        "from": "jobs",
                        "localField": "recording_id",
                        "foreignField": "recording_id",
                        "pipeline": [
                            {"$sort": {"ordinal": -1}},
                            {"$limit": 1},
                            {"$project": {"_id": 1}},
                        ],
                        "as": "newest",
                    }
                },
            ]
        )
        found = await cursor.to_list()
        items = [_report(document) for document in found[:limit]]
        if len(found) <= limit:
            return Page(items)
        last = items[-1].job
        return Page(items, {"created_at": last.created_at.isoformat(), "id": last.id})

    async def chosen(
        self, states: Sequence[JobState], *, code: str | None = None, course: str | None = None
    ) -> Sequence[Job]:
        wanted: Document = {"state": {"$in": [state.value for state in states]}}
        if code is not None:
            wanted["failure.code"] = code
        of_course: Document = {"lecture": {"$ne": []}}
        if course is not None:
            of_course["lecture.course"] = course
        cursor = await self._jobs.aggregate(
            [
                *_NEWEST,
                {"$match": wanted},
                _one("lectures", "lecture_id", "lecture", "course"),
                {"$match": of_course},
                {"$sort": {"created_at": 1, "_id": 1}},
            ],
            allowDiskUse=True,
        )
        return [from_document(Job, document) async for document in cursor]

    async def named(self, name: str) -> Job:
        of = await self._jobs.find_one({"_id": name}, {"recording_id": 1})
        where: Document = {"$or": [{"recording_id": name}, {"lecture_id": name}]}
        if of is not None:
            where = {"recording_id": of["recording_id"]}
        newest = await self._jobs.find_one(where, sort=[("number", -1), ("ordinal", -1)])
        if newest is None:
            raise NotFound(f"There is no job, recording or lecture with a recording “{name}”.")
        return from_document(Job, newest)

    async def requeue(self, job_id: str) -> bool:
        taken = await self._jobs.update_one(
            {"_id": job_id, "state": _RUNNING},
            [
                {
                    "$set": {
                        "state": _QUEUED,
                        "lease": None,
                        "not_before": "$$NOW",
                        "handed_back": {"$add": ["$handed_back", 1]},
                        "revision": {"$add": ["$revision", 1]},
                    }
                }
            ],
        )
        if taken.modified_count:
            return True
        hurried = await self._jobs.update_one(
            {"_id": job_id, "state": _QUEUED, "$expr": {"$not": [_DUE]}},
            [{"$set": {"not_before": "$$NOW", "revision": {"$add": ["$revision", 1]}}}],
        )
        if not hurried.modified_count and not await self._jobs.find_one({"_id": job_id}, {}):
            raise NotFound("There is no such job.")
        return bool(hurried.modified_count)

    async def candidates(self, course: str | None = None) -> Sequence[Again]:
        where: Document = {"media": {"$ne": None}}
        if course is not None:
            where["course"] = course
        cursor = await self._database.lectures.aggregate(
            [
                {"$match": where},
                {"$sort": {"_id": 1}},
                {"$project": {"media": 1}},
                _one("media", "media.media_id", "played", "recording_id"),
                {"$set": {"recording_id": {"$first": "$played.recording_id"}}},
                {
                    "$lookup": {
                        "from": "recordings",
                        "localField": "recording_id",
                        "foreignField": "_id",
                        "as": "recording",
                    }
                },
                {"$match": {"recording": {"$ne": []}}},
                {
                    "$lookup": {
                        "from": "jobs",
                        "localField": "recording_id",
                        "foreignField": "recording_id",
                        "pipeline": [
                            {"$sort": {"ordinal": -1}},
                            {"$limit": 1},
                            {"$project": {"campaign": 1, "state": 1}},
                        ],
                        "as": "job",
                    }
                },
                {"$match": {"job": {"$ne": []}}},
            ]
        )
        return [
            Again(
                lecture_id=found["_id"],
                recording=from_document(Recording, found["recording"][0]),
                media_id=found["media"]["media_id"],
                campaign=found["job"][0].get("campaign"),
                state=JobState(found["job"][0]["state"]),
            )
            async for found in cursor
        ]

    async def transcode_again(
        self, again: Again, *, profile: str | None, campaign: str
    ) -> Job | None:
        recording = again.recording
        last = await self._jobs.find_one({"recording_id": recording.id}, sort=[("ordinal", -1)])
        if last is None or last.get("campaign") == campaign or last["state"] in ACTIVE:
            return None
        job = Job(
            recording_id=recording.id,
            lecture_id=again.lecture_id,
            number=recording.number,
            instructor=last.get("instructor", ""),
            request_id=request_id.get(),
            traceparent=traceparent(),
            profile=profile,
            replaces=again.media_id,
            campaign=campaign,
        )
        document = {**to_document(job), "ordinal": last["ordinal"] + 1, "handed_back": 0}
        try:
            await self._jobs.insert_one(document)
        except DuplicateKeyError:
            return None  # somebody else queued it meanwhile
        return job

    async def campaign(self, name: str) -> Mapping[JobState, int]:
        counts = await self._counted({"campaign": name}, "$state")
        return {JobState(state): count for state, count in counts.items()}


def _report(found: Document) -> JobReport:
    lecture: Document = found["lecture"][0] if found["lecture"] else {}
    recording: Document = found["recording"][0] if found["recording"] else {}
    failure = found.get("last_failure") or found.get("failure")
    return JobReport(
        job=from_document(Job, found),
        last_failure=None if failure is None else Failure.model_validate(failure),
        superseded=found["newest"][0]["_id"] != found["_id"],
        course=lecture.get("course"),
        title=lecture.get("title", {}),
        filename=recording.get("filename"),
        size=recording.get("size"),
    )
