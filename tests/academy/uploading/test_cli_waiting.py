"""`academy upload --wait`."""

import asyncio

import pytest

from academy.commands.delivering import NotTranscoded
from academy.jobs import Failure, FailureKind, Progress


async def claimed(site):
    for _ in range(1200):
        if (job := await site.stores.jobs.claim_next("test")) is not None:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError("no job was queued")


async def told(site, text):
    for _ in range(1200):
        if text in site.said.getvalue():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never told: {text}\n{site.said.getvalue()}")


async def end_earlier_jobs(site):
    while (job := await site.stores.jobs.claim_next("test")) is not None:
        await site.stores.jobs.cancel(job.recording_id)


async def test_waiting_shows_progress_and_ends_with_the_failures_sentence(site, recording):
    await end_earlier_jobs(site)
    waiting = asyncio.create_task(site.deliver(recording, wait=True))
    job = await claimed(site)
    await site.stores.jobs.extend(job, Progress(stage="encoding", fraction=0.5, speed=2.5, eta=9))
    await told(site, "50%")
    await site.stores.jobs.fail(
        job, Failure(code="unreadable_media", message="这不是录像。", kind=FailureKind.SOURCE)
    )
    with pytest.raises(NotTranscoded, match="这不是录像。") as caught:
        await waiting
    assert caught.value.code == "unreadable_media"
    said = site.said.getvalue()
    assert "2.5× real time, about 9 s left" in said
    # The next run sends another attempt to the same lecture.
    lecture_id = await site.deliver(recording)
    assert (await site.stores.recordings.newest(lecture_id)).number == 2


async def test_waiting_goes_on_by_polling_where_streams_are_cut(site, recording, monkeypatch):
    from academy.commands import following

    monkeypatch.setattr(following, "POLL", 0.05)
    await end_earlier_jobs(site)
    site.network.cut = lambda head, _received: b"/recording/events" in head.split(b"\r\n", 1)[0]
    waiting = asyncio.create_task(site.deliver(recording, wait=True))
    job = await claimed(site)
    await site.stores.jobs.cancel(job.recording_id)
    with pytest.raises(NotTranscoded, match="cancelled"):
        await waiting
    assert any("/recording/events" in line for line in site.network.requests)
