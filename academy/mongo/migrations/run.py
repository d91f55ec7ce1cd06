"""Runs what has not been run. One process at a time; whoever dies leaves a lock that runs out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from pymongo.errors import DuplicateKeyError

from academy.errors import Conflict, SettingsError
from academy.ids import new_id
from academy.mongo.client import Database, Document
from academy.mongo.migrations.steps import STEPS, Step

LOCK: Final = "lock"
LOCKED_MILLISECONDS: Final = 60_000
"""Since the last sign of life of whoever runs migrations."""
RENEW_EVERY: Final = 15.0
"""Seconds."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EVIDENCE: Final = ("courses", "lectures", "uploads", "jobs", "universities")
"""A database with nothing in these is new: there is nothing to migrate."""


async def pending(database: Database, steps: Sequence[Step] = STEPS) -> Sequence[Step]:
    """In order. SettingsError when the database has run steps that this release does not know."""
    done = {found["_id"] async for found in database.migrations.find({"_id": {"$type": "int"}})}
    unknown = done - {step.number for step in steps}
    if unknown:
        raise SettingsError(
            f"The database was migrated by a newer release (step {max(unknown)}): "
            "run that release, or restore a backup of before."
        )
    return [step for step in steps if step.number not in done]


async def settle_new(database: Database, steps: Sequence[Step] = STEPS) -> None:
    """A new database begins with every step recorded."""
    if not await pending(database, steps):
        return
    for name in _EVIDENCE:
        if await database[name].find_one({}, {"_id": 1}) is not None:
            return
    for step in steps:
        await _record(database, step)


async def require_current(database: Database) -> None:
    """Raises SettingsError, which ends a service with status 2, while something is to be done."""
    if waiting := await pending(database):
        names = ", ".join(f"{step.number} ({step.name})" for step in waiting)
        raise SettingsError(
            f"The database needs migrations: {names}. Make a backup and run `academy migrate`."
        )


async def migrate(
    database: Database, tell: Callable[[str], None], steps: Sequence[Step] = STEPS
) -> int:
    """How many steps were run. Conflict while another process runs them."""
    async with _locked(database):
        waiting = await pending(database, steps)
        for step in waiting:
            tell(f"Migration {step.number}: {step.name} …")
            await step.run(database)
            await _record(database, step)
        return len(waiting)


async def _record(database: Database, step: Step) -> None:
    await database.migrations.update_one(
        {"_id": step.number},
        [{"$set": {"name": step.name, "finished_at": {"$ifNull": ["$finished_at", "$$NOW"]}}}],
        upsert=True,
    )


@asynccontextmanager
async def _locked(database: Database) -> AsyncIterator[None]:
    token = new_id()
    mine: Document = {"_id": LOCK, "token": token}
    until = {"$add": ["$$NOW", LOCKED_MILLISECONDS]}
    free: Document = {"_id": LOCK, "$expr": {"$lte": ["$until", "$$NOW"]}}
    with suppress(DuplicateKeyError):  # two who come first at once
        await database.migrations.update_one(
            {"_id": LOCK}, {"$setOnInsert": {"until": _LONG_AGO}}, upsert=True
        )
    taken = await database.migrations.update_one(free, [{"$set": {"token": token, "until": until}}])
    if not taken.matched_count:
        raise Conflict(
            "Another process runs migrations: wait for it. If it was killed, its lock ends "
            "a minute after its last sign of life."
        )

    async def keep() -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            await database.migrations.update_one(mine, [{"$set": {"until": until}}])

    renewing = asyncio.create_task(keep())
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await database.migrations.delete_one(mine)
