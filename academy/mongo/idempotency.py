"""Answers kept under a client's `Idempotency-Key`, for a day (a TTL index removes them)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from academy.courses import now
from academy.errors import Conflict, Invalid
from academy.mongo.client import Database, plain, unavailable_when_down

KEPT: Final = timedelta(days=1)
ABANDONED: Final = timedelta(minutes=1)
"""A first request that has not answered for so long died with its process: the key is free again."""


def _id(subject: str, key: str) -> dict[str, str]:
    return {"subject": subject, "key": key}


@unavailable_when_down
class MongoIdempotencyStore:
    """Implements `academy.stores.IdempotencyStore`."""

    def __init__(self, database: Database) -> None:
        self._answers = database.idempotency

    async def begin(self, subject: str, key: str, fingerprint: str) -> dict[str, Any] | None:
        begun = now()
        entry = {"fingerprint": fingerprint, "begun_at": begun, "expires_at": begun + KEPT}
        try:
            await self._answers.insert_one({"_id": _id(subject, key), "answer": None, **entry})
        except DuplicateKeyError:
            return await self._second(subject, key, fingerprint, entry)
        return None

    async def _second(
        self, subject: str, key: str, fingerprint: str, entry: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        first = await self._answers.find_one({"_id": _id(subject, key)})
        if first is None:  # forgotten or expired in between
            return await self.begin(subject, key, fingerprint)
        if first["fingerprint"] != fingerprint:
            raise Invalid(
                "This Idempotency-Key was used for another request: choose a new one.",
                code="idempotency_key_reused",
            )
        if first["answer"] is not None:
            answer: dict[str, Any] = first["answer"]
            return answer
        taken_over = await self._answers.find_one_and_update(
            {
                "_id": _id(subject, key),
                "answer": None,
                "$expr": {
                    "$lt": [
                        "$begun_at",
                        {"$subtract": ["$$NOW", ABANDONED // timedelta(milliseconds=1)]},
                    ]
                },
            },
            {"$set": dict(entry)},
        )
        if taken_over is None:
            raise Conflict(
                "The first request with this Idempotency-Key still runs: repeat it in a moment.",
                code="idempotency_in_progress",
            )
        return None

    async def finish(self, subject: str, key: str, answer: Mapping[str, Any]) -> None:
        await self._answers.update_one(
            {"_id": _id(subject, key)}, {"$set": {"answer": plain(answer)}}
        )

    async def forget(self, subject: str, key: str) -> None:
        await self._answers.delete_one({"_id": _id(subject, key), "answer": None})
