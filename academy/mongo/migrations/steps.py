"""The migrations themselves, in order. A step must bear being interrupted and run again: it looks for
what is left to do. Numbers are never used twice, and a released step is never changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from academy.mongo.client import Database


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    name: str
    run: Callable[[Database], Awaitable[None]]


async def _places_in_the_queue(database: Database) -> None:
    """Jobs of before the fair queue have no `due`, and would overtake all others."""
    await database.jobs.update_many({"due": {"$exists": False}}, [{"$set": {"due": "$created_at"}}])


async def _whose_jobs(database: Database) -> None:
    """Jobs of before the fair queue name no instructor: who uploaded the recording."""
    nameless = {"instructor": {"$exists": False}}
    async for job in database.jobs.find(nameless, {"recording_id": 1}):
        upload = await database.uploads.find_one(
            {"recording_id": job["recording_id"]}, {"created_by": 1}
        )
        who = upload["created_by"] if upload else ""
        await database.jobs.update_one(
            {"_id": job["_id"], **nameless}, {"$set": {"instructor": who}}
        )


STEPS: Final = (
    Step(1, "places in the queue", _places_in_the_queue),
    Step(2, "whose jobs", _whose_jobs),
)
