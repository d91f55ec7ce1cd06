"""A worker's journal: records receipts under the lease of the job it works for. Synchronous.

The job's document counts, exactly, since in the same transaction: `recorded`, receipts that are new, and
`repeated`, segments that were encoded though they had a receipt already.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from academy.errors import LeaseLost
from academy.jobs import JobState
from academy.media import INIT, Receipt
from academy.mongo.announcements import announce_streaming
from academy.mongo.client import (
    Document,
    in_worker_transaction,
    plain,
    while_reachable,
    worker_client,
)

log = logging.getLogger(__name__)

_UNEXPIRED: Final[Document] = {"$expr": {"$gt": ["$lease.expires_at", "$$NOW"]}}


class MongoJournal:
    """Implements `academy.recording_stores.Journal`. Cheap to make: clients are shared within the process."""

    def __init__(
        self, url: str, database_name: str, *, media_id: str, job_id: str, token: str
    ) -> None:
        self._client = worker_client(url)
        database = self._client[database_name]
        self._database = database
        self._jobs = database.jobs
        self._receipts = database.receipts
        self._media_id = media_id
        self._holder: Document = {
            "_id": job_id,
            "state": JobState.RUNNING.value,
            "lease.token": token,
            "media_id": media_id,
        }

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Raises LeaseLost and Unavailable.

        The guard is a write on the job, in the same transaction: a takeover, which also writes the
        job, comes wholly before it (and then nothing is recorded) or wholly after it.
        """
        if not receipts:
            return
        writes = [
            UpdateOne(
                {
                    "media_id": self._media_id,
                    "track": receipt.track,
                    "number": receipt.number,
                },
                {"$setOnInsert": plain(receipt)},
                upsert=True,
            )
            for receipt in receipts
        ]

        def work(session: ClientSession) -> list[Receipt]:
            guarded = self._jobs.update_one(
                {**self._holder, **_UNEXPIRED},
                {"$inc": {"recorded": len(receipts)}},
                session=session,
            )
            if not guarded.matched_count:
                raise LeaseLost
            new = self._receipts.bulk_write(writes, session=session).upserted_ids or {}
            known = [receipt for index, receipt in enumerate(receipts) if index not in new]
            again = [receipt for receipt in known if receipt.number != INIT]
            if known:
                # Init segments are a header each: every chunk that begins before one is recorded makes it.
                counts = {"recorded": -len(known), "repeated": len(again)}
                self._jobs.update_one(
                    {"_id": self._holder["_id"]}, {"$inc": counts}, session=session
                )
            if any(receipt.number in {INIT, 0} for receipt in receipts):
                announce_streaming(self._database, self._holder["_id"], self._media_id, session)
            return again

        again = in_worker_transaction(self._client, work)
        if again:
            names = " ".join(receipt.name for receipt in again)
            log.warning("media %s: encoded although recorded: %s", self._media_id, names)

    def receipts(self) -> Sequence[Receipt]:
        """By track, then number."""
        with while_reachable():
            return [
                Receipt.model_validate(document)
                for document in self._receipts.find(
                    {"media_id": self._media_id}, {"_id": 0}, sort=[("track", 1), ("number", 1)]
                )
            ]

    def held(self) -> bool:
        """By state and token; a lease that expired but that nobody took over may still be extended."""
        with while_reachable():
            return self._jobs.find_one(self._holder, {"_id": 1}) is not None
