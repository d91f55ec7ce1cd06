"""Which stored objects the documents need, and forgetting those that nobody does.

Every answer that something is not needed stays true: jobs and uploads that ended stay ended, deleted
lectures do not come back, and a lecture never plays older media again. So nothing needs to be locked
between the question and the deletion; the documents go first, guarded by the same question, and then
the objects, which by then no document names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from academy.holdings import HeldMedia, HeldRecording, MediaHolding, Reason
from academy.jobs import ACTIVE
from academy.media import Publication
from academy.mongo.client import (
    Database,
    Document,
    Session,
    in_transaction,
    unavailable_when_down,
    while_reachable,
)
from academy.uploads import UploadState

_MAY_GO_ON: Final = [UploadState.OPEN.value, UploadState.COMPLETING.value]
_LECTURE: Final[Document] = {
    "$lookup": {
        "from": "lectures",
        "localField": "lecture_id",
        "foreignField": "_id",
        "pipeline": [{"$project": {"media": 1}}],
        "as": "lecture",
    }
}


def _ended_before(job: str, age: timedelta) -> Document:
    """An expression: this job is gone, or has ended that long ago by the database's clock."""
    latest = {"$subtract": ["$$NOW", age // timedelta(milliseconds=1)]}
    ended = {"$first": f"${job}.finished_at"}
    return {
        "$or": [
            {"$eq": [{"$size": f"${job}"}, 0]},
            {
                "$and": [
                    {"$not": [{"$in": [{"$first": f"${job}.state"}, sorted(ACTIVE)]}]},
                    # Jobs that ended before there was such a field have none.
                    {"$lte": [{"$ifNull": [ended, "$created_at"]}, latest]},
                ]
            },
        ]
    }


def _judged(ids: Collection[str], age: timedelta) -> list[Document]:
    """Of media: whether their lecture exists and plays them, and what became of their job."""
    return [
        {"$match": {"_id": {"$in": [*ids]}}},
        {"$project": {"lecture_id": 1, "job_id": 1, "created_at": 1}},
        _LECTURE,
        _job("job_id", "job"),
        {"$set": {"played": {"$first": "$lecture.media.media_id"}}},
        {
            "$lookup": {
                "from": "media",
                "localField": "played",
                "foreignField": "_id",
                "pipeline": [{"$project": {"job_id": 1}}],
                "as": "current",
            }
        },
        {"$set": {"current_job": {"$first": "$current.job_id"}}},
        _job("current_job", "replacing"),
        {
            "$project": {
                "exists": {"$gt": [{"$size": "$lecture"}, 0]},
                "played": 1,
                "settled": _ended_before("job", age),
                "replaced": _ended_before("replacing", age),
            }
        },
    ]


def _job(field: str, name: str) -> Document:
    return {
        "$lookup": {
            "from": "jobs",
            "localField": field,
            "foreignField": "_id",
            "pipeline": [{"$project": {"state": 1, "finished_at": 1}}],
            "as": name,
        }
    }


def _holding(found: Document) -> MediaHolding:
    settled: bool = found["settled"]
    if not found["exists"]:
        return MediaHolding(Reason.LECTURE_GONE, settled)
    if found.get("played") == found["_id"] or not settled:
        return MediaHolding(None, settled)
    if found.get("played") is None:
        return MediaHolding(Reason.GIVEN_UP, settled)
    return MediaHolding(Reason.SUPERSEDED if found["replaced"] else None, settled)


@unavailable_when_down
class MongoHoldingsStore:
    """Implements `academy.storage_stores.HoldingsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def any_recordings(self) -> bool:
        return await self._database.recordings.find_one({}, {"_id": 1}) is not None

    async def recordings(self, ids: Collection[str]) -> Mapping[str, Reason | None]:
        return await self._recordings(ids, None)

    async def _recordings(
        self, ids: Collection[str], session: Session | None
    ) -> dict[str, Reason | None]:
        found: dict[str, Reason | None] = dict.fromkeys(ids, Reason.UNKNOWN)
        cursor = await self._database.recordings.aggregate(
            [
                {"$match": {"_id": {"$in": [*ids]}}},
                _LECTURE,
                {"$project": {"exists": {"$gt": [{"$size": "$lecture"}, 0]}}},
            ],
            session=session,
        )
        async for document in cursor:
            found[document["_id"]] = None if document["exists"] else Reason.LECTURE_GONE
        # What has ended but is not cleaned yet is the reconciler's.
        going_on = self._database.uploads.find(
            {
                "recording_id": {"$in": [*ids]},
                "$or": [{"state": {"$in": _MAY_GO_ON}}, {"cleaned": False}],
            },
            {"recording_id": 1},
            session=session,
        )
        async for document in going_on:
            found[document["recording_id"]] = None
        return found

    async def media(self, ids: Collection[str], *, age: timedelta) -> Mapping[str, MediaHolding]:
        return await self._media(ids, age, None)

    async def _media(
        self, ids: Collection[str], age: timedelta, session: Session | None
    ) -> dict[str, MediaHolding]:
        cursor = await self._database.media.aggregate(_judged(ids, age), session=session)
        return {found["_id"]: _holding(found) async for found in cursor}

    async def uploads(self, storage_upload_ids: Collection[str]) -> set[str]:
        cursor = self._database.uploads.find(
            {
                "storage_upload_id": {"$in": [*storage_upload_ids]},
                "$or": [{"state": {"$in": _MAY_GO_ON}}, {"cleaned": False}],
            },
            {"storage_upload_id": 1},
        )
        return {document["storage_upload_id"] async for document in cursor}

    async def held_recordings(self) -> AsyncIterator[HeldRecording]:
        with while_reachable():
            cursor = await self._database.recordings.aggregate(
                [
                    _LECTURE,
                    {
                        "$project": {
                            "key": 1,
                            "lecture_id": 1,
                            "size": 1,
                            "lecture_exists": {"$gt": [{"$size": "$lecture"}, 0]},
                        }
                    },
                ]
            )
            async for found in cursor:
                yield HeldRecording(id=found.pop("_id"), **found)

    async def held_media(self) -> AsyncIterator[HeldMedia]:
        with while_reachable():
            cursor = await self._database.lectures.aggregate(
                [
                    {"$match": {"media": {"$ne": None}}},
                    {
                        "$lookup": {
                            "from": "media",
                            "localField": "media.media_id",
                            "foreignField": "_id",
                            "pipeline": [{"$project": {"publication": 1}}],
                            "as": "found",
                        }
                    },
                    {"$project": {"media": 1, "found": {"$first": "$found.publication"}}},
                ]
            )
            async for lecture in cursor:
                yield HeldMedia(
                    id=lecture["media"]["media_id"],
                    lecture_id=lecture["_id"],
                    names=_published(lecture.get("found")),
                )

    async def names(self, media_id: str) -> set[str]:
        cursor = self._database.receipts.find({"media_id": media_id}, {"_id": 0, "name": 1})
        return {document["name"] async for document in cursor}

    async def forget_recording(self, recording_id: str) -> bool:
        async def work(session: Session) -> bool:
            if (await self._recordings([recording_id], session))[recording_id] is None:
                return False
            of_it = {"recording_id": recording_id}
            await self._database.recordings.delete_one({"_id": recording_id}, session=session)
            await self._database.jobs.delete_many(of_it, session=session)
            await self._database.uploads.delete_many(of_it, session=session)
            return True

        return await in_transaction(self._database, work)

    async def forget_media(self, media_id: str, *, age: timedelta) -> bool:
        async def work(session: Session) -> bool:
            held = (await self._media([media_id], age, session)).get(media_id)
            if held is not None and (held.reason is None or not held.settled):
                return False
            await self._database.media.delete_one({"_id": media_id}, session=session)
            return True

        if not await in_transaction(self._database, work):
            return False
        await self._database.receipts.delete_many({"media_id": media_id})
        return True


def _published(publication: dict[str, Any] | None) -> frozenset[str]:
    """What players are sent to; segments have receipts."""
    if publication is None:
        return frozenset()
    known = Publication.model_validate(publication)
    named = [known.hls, known.dash, known.poster, known.storyboard]
    named += [track.name for track in known.captions]
    named += known.sheets.names if known.sheets else []
    named += [chapter.thumbnail for chapter in known.chapters]
    return frozenset(name for name in named if name is not None)
