"""Migrations run once, in order, by one process at a time, and go on where they were interrupted."""

from __future__ import annotations

import asyncio

import pytest

from academy.errors import Conflict, SettingsError
from academy.mongo.migrations.run import migrate, pending, require_current, settle_new
from academy.mongo.migrations.steps import STEPS, Step
from tests.documents import a_lecture_in, a_recording_of


def silent(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
async def database(stores):
    await stores.database.migrations.delete_many({})
    return stores.database


def step(number, ran, *, fails=False):
    async def run(database):
        ran.append(number)
        if fails:
            raise OSError

    return Step(number, f"step {number}", run)


async def test_a_new_database_needs_none_and_an_old_one_is_refused_until_migrated(stores, database):
    await settle_new(database)
    assert await pending(database) == []
    await database.migrations.delete_many({})
    recording = await a_recording_of(stores, await a_lecture_in(stores))
    await database.jobs.update_one(
        {"recording_id": recording.id}, {"$unset": {"due": "", "instructor": ""}}
    )
    await settle_new(database)
    with pytest.raises(SettingsError, match="academy migrate"):
        await require_current(database)
    assert await migrate(database, silent) == len(STEPS)
    await require_current(database)
    job = await database.jobs.find_one({"recording_id": recording.id})
    assert (job["due"], job["instructor"]) == (job["created_at"], "teacher")
    assert await migrate(database, silent) == 0


async def test_a_step_that_failed_is_run_again_and_those_before_it_are_not(database):
    ran: list[int] = []
    with pytest.raises(OSError):
        await migrate(database, silent, [step(1, ran), step(2, ran, fails=True), step(3, ran)])
    await migrate(database, silent, [step(1, ran), step(2, ran), step(3, ran)])
    assert ran == [1, 2, 2, 3]


async def test_two_processes_never_run_them_at_once(database):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_):
        begun.set()
        await go_on.wait()

    first = asyncio.create_task(migrate(database, silent, [Step(1, "slow", slow)]))
    await begun.wait()
    with pytest.raises(Conflict):
        await migrate(database, silent, [Step(1, "slow", slow)])
    go_on.set()
    assert await first == 1
    assert await migrate(database, silent, [Step(1, "slow", slow)]) == 0


async def test_the_lock_of_one_who_was_killed_runs_out(database):
    past = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 1}}
    await database.migrations.update_one(
        {"_id": "lock"}, [{"$set": {"token": "dead", "until": past}}], upsert=True
    )
    ran: list[int] = []
    await migrate(database, silent, [step(1, ran)])
    assert ran == [1]


async def test_an_older_release_refuses_a_newer_database(database):
    await migrate(database, silent, [step(1, []), step(99, [])])
    with pytest.raises(SettingsError, match="newer release"):
        await require_current(database)
