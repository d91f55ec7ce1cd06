"""A job as a document, and the pieces that its moves are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from academy.errors import LeaseLost
from academy.jobs import ACTIVE, Job, JobState
from academy.media import Media
from academy.mongo.client import Document, from_document, plain, to_document

IN_WORK: Final[Document] = {"$in": sorted(state.value for state in ACTIVE)}
EXPIRED: Final[Document] = {"$lte": ["$lease.expires_at", "$$NOW"]}
FORGIVEN: Final[Document] = {
    "$cond": [
        {
            "$or": [
                {"$gt": [{"$ifNull": ["$recorded", 0]}, {"$ifNull": ["$recorded_before", 0]}]},
                {
                    "$ne": [
                        {"$ifNull": ["$media_id", None]},
                        {"$ifNull": ["$media_before", None]},
                    ]
                },
            ]
        },
        "$attempts",
        "$handed_back",
    ]
}
"""`handed_back` once the running attempt has ended and the job has not. An attempt that froze a plan or
recorded something brought the job nearer to its end: neither it nor those before it count any more."""
COUNTED: Final[Document] = {"$subtract": ["$attempts", FORGIVEN]}
"""Of a running job: attempts in a row that brought nothing, the running one among them."""
VISIBLY: Final[Document] = {"revision": {"$add": ["$revision", 1]}}


def milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def literal(value: Any) -> Document:
    """Inside a pipeline a string that begins with `$` would be read as a field."""
    return {"$literal": plain(value)}


def ended(state: JobState, **fields: Any) -> Document:
    return {"state": state.value, "lease": None, "finished_at": "$$NOW", **fields, **VISIBLY}


def queued(**fields: Any) -> Document:
    return {"state": JobState.QUEUED.value, "lease": None, **fields, **VISIBLY}


def build(document: Document) -> Job:
    return from_document(Job, document)


def held(job: Job) -> Document:
    """The filter of every move from a dispatcher's side."""
    if job.lease is None:
        raise LeaseLost
    return {"_id": job.id, "state": JobState.RUNNING.value, "lease.token": job.lease.token}


def plain_media(media: Media) -> Document:
    return {name: value for name, value in to_document(media).items() if name != "_id"}
