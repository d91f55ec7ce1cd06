"""What time does to a lease, without waiting for it."""

from __future__ import annotations

from datetime import timedelta

from academy.courses import now
from academy.jobs import Job
from academy.mongo.stores import MongoStores


async def expire(stores: MongoStores, job: Job) -> None:
    """As if the dispatcher had been silent for too long."""
    await stores.database.jobs.update_one(
        {"_id": job.id}, {"$set": {"lease.expires_at": now() - timedelta(seconds=1)}}
    )
