"""A lecture's one reference to what it plays."""

from __future__ import annotations

from academy.jobs import Job
from academy.media import Publication
from academy.mongo.announcements import announce_ready
from academy.mongo.client import Database, Session
from academy.mongo.lectures import recount


async def flip(database: Database, job: Job, publication: Publication, session: Session) -> bool:
    """The lecture plays these media from now on, unless it plays them or newer ones already."""
    lecture = await database.lectures.find_one_and_update(
        {
            "_id": job.lecture_id,
            "$or": [
                {"media": None},
                {"media.number": {"$lt": job.number}},
                *([{"media.media_id": job.replaces}] if job.replaces else []),
            ],
        },
        {
            "$set": {
                "media": {"media_id": job.media_id, "number": job.number},
                "duration": publication.duration,
                # Captions given before are brought to these media (`academy.captioning`).
                "captions_due": True,
            },
            "$inc": {"captions_version": 1},
        },
        session=session,
    )
    if lecture is None:
        return False
    if lecture["published"]:
        await recount(database, lecture["course"], session)
    await announce_ready(database, lecture, job, publication.duration, session)
    return True
