"""Commands that steer jobs, over a real database: repeatable, and never beyond what was chosen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from academy.commands.retranscode import retranscode
from academy.commands.steering import cancel, requeue, retry
from academy.errors import Conflict, Invalid, NotFound
from academy.jobs import Failure, FailureKind, JobState
from tests.documents import PUBLICATION, a_claim_of, a_lecture_in, media_for

ONLY: dict[str, Any] = {"data_dir": None}


@pytest.fixture(autouse=True)
def environment(monkeypatch, mongo_url, database_name, tmp_path):
    monkeypatch.setenv("ACADEMY_MONGODB_URL", mongo_url)
    monkeypatch.setenv("ACADEMY_MONGODB_DATABASE", database_name)
    monkeypatch.setenv("ACADEMY_DATA_DIR", str(tmp_path / "none"))


async def failed(stores, code):
    job = await a_claim_of(stores, await a_lecture_in(stores))
    return await stores.jobs.fail(job, Failure(code=code, message="No."))


async def test_what_failed_with_a_code_is_tried_again_once(stores, capsys):
    first, other = await failed(stores, "broken"), await failed(stores, "else")
    again: dict[str, Any] = {"everything": True, "code": "broken", "course": None, **ONLY}
    await asyncio.to_thread(retry, [], **again)
    assert "Queued again: 1." in capsys.readouterr().out
    await asyncio.to_thread(retry, [], **again)
    assert "Queued again: 0." in capsys.readouterr().out
    assert (await stores.jobs.newest(first.recording_id)).state is JobState.QUEUED
    assert (await stores.jobs.newest(other.recording_id)).state is JobState.FAILED
    await asyncio.to_thread(cancel, [], everything=True, course=None, **ONLY)
    assert (await stores.jobs.newest(first.recording_id)).state is JobState.CANCELLED


async def test_one_is_named_by_its_lecture_and_told_why_not(stores):
    job = await failed(stores, "broken")
    named: dict[str, Any] = {"everything": False, "course": None, **ONLY}
    await asyncio.to_thread(retry, [job.lecture_id], code=None, **named)
    with pytest.raises(Conflict):
        await asyncio.to_thread(retry, [job.lecture_id], code=None, **named)
    running = await stores.jobs.claim_next("x")
    await asyncio.to_thread(requeue, [running.id], **named)
    assert (await stores.jobs.get(running.id)).state is JobState.QUEUED
    await asyncio.to_thread(cancel, [job.recording_id], **named)
    with pytest.raises(NotFound):
        await asyncio.to_thread(cancel, ["nothing"], **named)
    with pytest.raises(Invalid):
        await asyncio.to_thread(cancel, [], **named)


async def published(stores):
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    return job


def campaign(**members):
    usual: dict[str, Any] = {"profile": None, "course": None, "everything": True, "campaign": "c1", "wait": False,
             "dry_run": False, **ONLY}  # fmt: skip
    retranscode(**usual | members)


async def test_a_catalogue_is_queued_once_per_campaign_and_replaces_what_is_played(stores, capsys):
    jobs = [await published(stores) for _ in range(2)]
    before = (await stores.courses.lecture(jobs[0].lecture_id)).media
    await asyncio.to_thread(campaign, dry_run=True)
    assert (await stores.operating.campaign("c1")) == {}
    await asyncio.to_thread(campaign, profile="fast")
    await asyncio.to_thread(campaign, profile="fast")
    assert await stores.operating.campaign("c1") == {JobState.QUEUED: 2}
    capsys.readouterr()
    # What instructors wait for goes first.
    fresh = await a_claim_of(stores, await a_lecture_in(stores))
    again = await stores.jobs.claim_next("x")
    assert (again.campaign, again.profile) == ("c1", "fast")
    made = await stores.jobs.freeze(again, media_for(again))
    lecture = await stores.courses.lecture(again.lecture_id)
    old = lecture.media.media_id
    assert await stores.jobs.succeed(again, PUBLICATION)
    lecture = await stores.courses.lecture(again.lecture_id)
    assert lecture.media.media_id == made.id != old
    assert lecture.media.number == before.number
    # A failed one plays what it played, and is tried again as part of its campaign.
    second = await stores.jobs.claim_next("x")
    await stores.jobs.fail(second, Failure(code="broken", message="No.", kind=FailureKind.BUG))
    retried = await stores.jobs.retry(second.recording_id)
    assert (retried.campaign, retried.replaces) == ("c1", second.replaces)
    await stores.jobs.cancel(retried.recording_id)
    await asyncio.to_thread(campaign, wait=True)
    assert "1 succeeded, 1 failed, 1 cancelled" in capsys.readouterr().out
    await stores.jobs.cancel(fresh.recording_id)


async def test_a_newer_recording_is_not_overwritten_by_a_campaign(stores):
    job = await published(stores)
    await asyncio.to_thread(campaign, campaign="c2")
    lecture = await stores.courses.lecture(job.lecture_id)
    newer = await a_claim_of(stores, lecture)
    again = None
    while again is None or again.lecture_id != lecture.id:
        again = await stores.jobs.claim_next("x")
    made = await stores.jobs.freeze(newer, media_for(newer))
    await stores.jobs.succeed(newer, PUBLICATION)
    await stores.jobs.freeze(again, media_for(again))
    assert not await stores.jobs.succeed(again, PUBLICATION)
    assert (await stores.courses.lecture(lecture.id)).media.media_id == made.id
