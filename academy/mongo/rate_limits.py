"""Counters of requests in windows of time, shared by every API process. Old ones go by a TTL index."""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo import ReturnDocument

from academy.mongo.client import Database, unavailable_when_down


@unavailable_when_down
class MongoRateLimitStore:
    """Implements `academy.stores.RateLimitStore`: one write per counted request."""

    def __init__(self, database: Database) -> None:
        self._counters = database.rate_limits

    async def count(self, key: str, *, window: int, amount: int = 1) -> tuple[int, datetime]:
        """By the database's clock. `w: 1`: a counter lost in a failover harms nobody."""
        fresh = {"$lte": [{"$ifNull": ["$ends_at", "$$NOW"]}, "$$NOW"]}
        ends = {"$add": ["$$NOW", timedelta(seconds=window) // timedelta(milliseconds=1)]}
        document = await self._counters.find_one_and_update(
            {"_id": key},
            [
                {
                    "$set": {
                        "count": {"$cond": [fresh, amount, {"$add": ["$count", amount]}]},
                        "ends_at": {"$cond": [fresh, ends, "$ends_at"]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert document is not None  # noqa: S101 - upserted
        return document["count"], document["ends_at"]
