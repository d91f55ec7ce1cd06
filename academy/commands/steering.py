"""`academy retry`, `cancel` and `requeue`: one job by name, or many by what became of them.

Each move is one guarded operation, so a command that was interrupted is simply given again: what was
moved already is no longer chosen, or is left as it is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from academy.commands.data_directory import local_settings
from academy.commands.display import display_on
from academy.correlation import working_for
from academy.errors import Conflict, Invalid
from academy.ids import new_id
from academy.jobs import Job, JobState
from academy.mongo.stores import MongoStores
from academy.settings import Settings

Move = Callable[[MongoStores, Job], Awaitable[bool]]


async def _retry(stores: MongoStores, job: Job) -> bool:
    await stores.jobs.retry(job.recording_id)
    return True


async def _cancel(stores: MongoStores, job: Job) -> bool:
    await stores.jobs.cancel(job.recording_id)
    return True


async def _requeue(stores: MongoStores, job: Job) -> bool:
    return await stores.operating.requeue(job.id)


def retry(
    names: Sequence[str],
    *,
    everything: bool,
    code: str | None,
    course: str | None,
    data_dir: Path | None,
) -> None:
    """Failed jobs again; cancelled ones only by name. Conflict where one that was named runs or succeeded."""
    states = [JobState.FAILED]
    _run(names, everything, states, _retry, "Queued again", data_dir, code=code, course=course)


def cancel(
    names: Sequence[str], *, everything: bool, course: str | None, data_dir: Path | None
) -> None:
    """Queued and running jobs end; running ones within seconds. What they encoded is not played."""
    states = [JobState.QUEUED, JobState.RUNNING]
    _run(names, everything, states, _cancel, "Cancelled", data_dir, course=course)


def requeue(
    names: Sequence[str], *, everything: bool, course: str | None, data_dir: Path | None
) -> None:
    """Running jobs go to whoever claims them next, pauses after failures end. Nothing is lost."""
    states = [JobState.QUEUED, JobState.RUNNING]
    _run(names, everything, states, _requeue, "Requeued", data_dir, course=course)


def _run(
    names: Sequence[str],
    everything: bool,
    states: Sequence[JobState],
    move: Move,
    told: str,
    data_dir: Path | None,
    *,
    code: str | None = None,
    course: str | None = None,
) -> None:
    if bool(names) == everything or (names and (code or course)):
        raise Invalid("Name jobs, recordings or lectures, or give --all; not both and not neither.")
    settings = local_settings(data_dir)
    with working_for(request=new_id()):
        moved, left = asyncio.run(_move(settings, names, states, move, code, course))
    print(f"{told}: {moved}. Nothing to do: {left}.")


async def _move(
    settings: Settings,
    names: Sequence[str],
    states: Sequence[JobState],
    move: Move,
    code: str | None,
    course: str | None,
) -> tuple[int, int]:
    """How many were moved, and how many left as they are."""
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        if names:
            jobs: Sequence[Job] = [await stores.operating.named(name) for name in names]
        else:
            jobs = await stores.operating.chosen(states, code=code, course=course)
        moved = 0
        with display_on(sys.stderr) as display, display.bar("Jobs", len(jobs)) as advance:
            for job in jobs:
                try:
                    moved += await move(stores, job)
                except Conflict:
                    # Chosen from many, it went on meanwhile; named, the person asked for this one.
                    if names:
                        raise
                advance(1, state=job.id)
        return moved, len(jobs) - moved
    finally:
        await stores.close()
