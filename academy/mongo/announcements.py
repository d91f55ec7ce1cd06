"""Which events a job's moves write, in the transaction of the move.

Nothing is told of a lecture that is gone by then.
"""

from __future__ import annotations

from typing import Any, Final

from pymongo.client_session import ClientSession

from academy.events import EventKind
from academy.jobs import Failure, FailureKind, Job
from academy.media import INIT, MediaPlan
from academy.mongo.client import Database, Document, Session
from academy.mongo.outbox import event_document

CANCELLED: Final = Failure(
    code="cancelled", message="Transcoding was cancelled.", kind=FailureKind.SOURCE
)


def _data(lecture: Document, source: Document, **more: Any) -> Document:
    """`source` is a job or a media: both name recording and number."""
    return {
        "lecture_id": lecture["_id"],
        "course": lecture["course"],
        "published": lecture["published"],
        "recording_id": source["recording_id"],
        "number": source["number"],
        **more,
    }


async def announce_ready(
    database: Database, lecture: Document, job: Job, duration: float, session: Session
) -> None:
    data = _data(lecture, job.model_dump(), duration=duration)
    await database.events.insert_one(event_document(EventKind.LECTURE_READY, data), session=session)


async def announce_failed(database: Database, job: Job, failure: Failure, session: Session) -> None:
    """`failure.detail` is for operators only and stays here."""
    lecture = await database.lectures.find_one({"_id": job.lecture_id}, session=session)
    if lecture is not None:
        data = _data(lecture, job.model_dump(), code=failure.code, message=failure.message)
        await database.events.insert_one(
            event_document(EventKind.LECTURE_FAILED, data), session=session
        )


def announce_streaming(database: Any, job_id: str, media_id: str, session: ClientSession) -> None:
    """Called with the receipts of a first segment: an event once all tracks have theirs.

    `database` is a worker's, synchronous. A replacement never streams, so nothing is told of it.
    """
    media = database.media.find_one({"_id": media_id}, session=session)
    if media is None:
        return
    tracks = MediaPlan.model_validate(media["plan"]).tracks
    begun = database.receipts.count_documents(
        {"media_id": media_id, "number": {"$in": [INIT, 0]}, "track": {"$in": tracks}},
        session=session,
    )
    if begun < 2 * len(tracks):
        return
    first = database.jobs.update_one(
        {"_id": job_id, "announced": {"$ne": True}}, {"$set": {"announced": True}}, session=session
    )
    if not first.modified_count:
        return
    lecture = database.lectures.find_one(
        {"_id": media["lecture_id"], "media": None}, session=session
    )
    if lecture is not None:
        database.events.insert_one(
            event_document(EventKind.LECTURE_STREAMING, _data(lecture, media)), session=session
        )
