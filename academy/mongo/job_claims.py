"""Who works on what next: expired leases come back, then the fairest queued job is claimed."""

from __future__ import annotations

from typing import Final

from pymongo import ReturnDocument

from academy.ids import new_id
from academy.jobs import LEASE, MOST_AGAIN, MOST_ATTEMPTS, Failure, FailureKind, Job, JobState
from academy.mongo.announcements import announce_failed
from academy.mongo.client import Database, Document, Session, in_transaction
from academy.mongo.job_documents import (
    COUNTED,
    EXPIRED,
    FORGIVEN,
    VISIBLY,
    build,
    ended,
    literal,
    milliseconds,
    queued,
)

ABANDONED: Final = Failure(
    code="abandoned",
    message="Transcoding was interrupted too often and was given up: try again, "
    "and tell the operators if it happens again.",
    kind=FailureKind.TRANSIENT,
)


class Claims:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs = database.jobs

    async def claim_next(self, owner: str) -> Job | None:
        await self._recover()
        busy = await self._busy()
        # Those with nothing in work first, then those with least.
        for count in sorted({0, *busy.values()}):
            equals = [name for name, running in busy.items() if running == count]
            whose = {"$in": equals} if count else {"$nin": list(busy)}
            claimed = await self._claim(owner, {"instructor": whose, "campaign": None})
            if claimed is not None:
                return claimed
        # Nobody waits for what is transcoded again; it must not take all places either.
        again: Document = {"campaign": {"$type": "string"}}
        if (
            await self._jobs.count_documents({**again, "state": JobState.RUNNING.value})
            < MOST_AGAIN
        ):
            return await self._claim(owner, again)
        return None

    async def _busy(self) -> dict[str, int]:
        """How many jobs of each instructor are running."""
        cursor = await self._jobs.aggregate(
            [
                {"$match": {"state": JobState.RUNNING.value}},
                {"$group": {"_id": "$instructor", "running": {"$sum": 1}}},
            ]
        )
        return {found["_id"]: found["running"] async for found in cursor}

    async def _claim(self, owner: str, among: Document) -> Job | None:
        lease = {
            "token": new_id(),
            "owner": literal(owner),
            "expires_at": {"$add": ["$$NOW", milliseconds(LEASE)]},
        }
        document = await self._jobs.find_one_and_update(
            {
                **among,
                "state": JobState.QUEUED.value,
                "$expr": {"$lte": ["$not_before", "$$NOW"]},
            },
            [
                {
                    "$set": {
                        "state": JobState.RUNNING.value,
                        "attempts": {"$add": ["$attempts", 1]},
                        "lease": lease,
                        "recorded_before": {"$ifNull": ["$recorded", 0]},
                        "media_before": {"$ifNull": ["$media_id", None]},
                        **VISIBLY,
                    }
                }
            ],
            sort=[("attempts", 1), ("due", 1), ("created_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else build(document)

    async def _recover(self) -> None:
        """Expired leases: back to the queue, or failed when this happened too often."""
        expired: Document = {"state": JobState.RUNNING.value}
        often = {"$gte": [COUNTED, MOST_ATTEMPTS]}
        given_up: Document = {**expired, "$expr": {"$and": [EXPIRED, often]}}
        while await self._jobs.find_one(given_up, {"_id": 1}) is not None:
            await self._abandon(given_up)
        await self._jobs.update_many(
            {**expired, "$expr": {"$and": [EXPIRED, {"$not": [often]}]}},
            [{"$set": queued(handed_back=FORGIVEN)}],
        )

    async def _abandon(self, given_up: Document) -> None:
        async def work(session: Session) -> None:
            document = await self._jobs.find_one_and_update(
                given_up,
                [{"$set": ended(JobState.FAILED, failure=literal(ABANDONED))}],
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if document is not None:
                await announce_failed(self._database, build(document), ABANDONED, session)

        await in_transaction(self._database, work)
