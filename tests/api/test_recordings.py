from __future__ import annotations

import asyncio
import json

import pytest

from academy.jobs import Failure, FailureKind, Progress
from api.events import Event, event_stream
from tests.documents import INSPECTION, a_claim_of


@pytest.fixture
async def claimed(add_course, add_lecture, backend, request):
    """A lecture with a running job, in a course of its own."""
    slug = f"rec-{abs(hash(request.node.name))}"
    await add_course(slug)
    made = await add_lecture(slug)
    lecture = await backend.stores.courses.lecture(made["id"])
    job = await a_claim_of(backend.stores, lecture)
    yield f"/v1/lectures/{lecture.id}/recording", job
    newest = await backend.stores.jobs.newest(job.recording_id)
    if newest is not None and newest.active:
        await backend.stores.jobs.cancel(job.recording_id)


def events(text):
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["id"], json.loads(lines["data"])))
    return found


async def test_progress_inspection_and_failure_are_shown(teacher, backend, claimed):
    path, job = claimed
    jobs = backend.stores.jobs
    await jobs.extend(job, Progress(stage="encoding", fraction=0.25, speed=3.5, eta=12.0))
    await jobs.inspected(job, INSPECTION)
    shown = (await teacher.get(path)).json()
    assert (shown["state"], shown["stage"], shown["progress"]) == ("running", "encoding", 0.25)
    assert (shown["speed"], shown["eta"]) == (3.5, 12.0)
    assert shown["inspection"]["duration"] == 10.0
    assert shown["failure"] is None
    detail = "stderr's last lines, for operators"
    failure = Failure(code="no_video", message="No.", kind=FailureKind.SOURCE, detail=detail)
    await jobs.fail(job, failure)
    shown = await teacher.get(path)
    assert shown.json()["failure"] == {"code": "no_video", "message": "No."}
    assert detail not in shown.text


async def test_a_failure_is_told_in_the_readers_language(teacher, backend, claimed):
    path, job = claimed
    failure = Failure(code="encrypted", message="“a.mp4” is encrypted.", kind=FailureKind.SOURCE)
    await backend.stores.jobs.fail(job, failure)
    told = {
        language: (await teacher.get(path, headers={"Accept-Language": language})).json()["failure"]
        for language in ("zh-CN", "en", "fr")
    }
    assert {each["code"] for each in told.values()} == {"encrypted"}
    assert "加密" in told["zh-CN"]["message"]
    assert told["en"]["message"] == failure.message
    assert "chiffré" in told["fr"]["message"]


async def test_cancel_and_retry_do_what_the_state_allows(teacher, claimed):
    path, _ = claimed
    assert (await teacher.post(f"{path}/retry")).status_code == 409
    cancelled = await teacher.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await teacher.post(f"{path}/cancel")).status_code == 409
    again = await teacher.post(f"{path}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert again.json()["id"] == cancelled.json()["id"]


async def test_events_tell_each_change_until_the_end(teacher, backend, claimed):
    path, job = claimed
    jobs = backend.stores.jobs
    stream = asyncio.create_task(teacher.get(f"{path}/events"))
    await jobs.extend(job, Progress(stage="encoding", fraction=0.5))
    await jobs.cancel(job.recording_id)
    answer = await stream
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    told = events(answer.text)
    assert told[-1][1]["state"] == "cancelled"
    assert told[-1][1]["progress"] == 0.5
    assert told[-1][1] == (await teacher.get(path)).json()
    assert len({name for name, _ in told}) == len(told)


async def test_who_has_seen_the_last_event_is_not_told_it_again(teacher, backend, claimed):
    path, job = claimed
    await backend.stores.jobs.cancel(job.recording_id)
    first = events((await teacher.get(f"{path}/events")).text)
    seen = {"Last-Event-ID": first[-1][0]}
    assert events((await teacher.get(f"{path}/events", headers=seen)).text) == []
    old = {"Last-Event-ID": "something-else"}
    assert events((await teacher.get(f"{path}/events", headers=old)).text) == first


class Source:
    """Yields what is put in, and notices being closed."""

    def __init__(self, *items):
        self.items: asyncio.Queue[int | None] = asyncio.Queue()
        self.closed = False
        for item in items:
            self.items.put_nowait(item)

    async def __aiter__(self):
        try:
            while (item := await self.items.get()) is not None:
                yield item
        finally:
            self.closed = True


async def as_event(item):
    return Event(id=str(item), data=json.dumps(item))


def stream_of(source, closing, heartbeat=60.0):
    response = event_stream(
        aiter(source), as_event, last_event_id=None, closing=closing, heartbeat=heartbeat
    )
    return response.body_iterator


async def test_silence_is_filled_with_heartbeats_and_loses_nothing():
    source = Source(1)
    pieces = stream_of(source, asyncio.Event(), heartbeat=0.01)
    assert await anext(pieces) == b": heartbeat\n\n"
    assert await anext(pieces) == b"id: 1\ndata: 1\n\n"
    assert [await anext(pieces) for _ in range(3)] == [b": heartbeat\n\n"] * 3
    source.items.put_nowait(2)
    source.items.put_nowait(None)
    rest = [piece async for piece in pieces]
    assert b"id: 2\ndata: 2\n\n" in rest
    assert source.closed


async def test_a_stream_ends_when_the_server_closes():
    source, closing = Source(1), asyncio.Event()
    pieces = stream_of(source, closing)
    await anext(pieces)
    await anext(pieces)
    closing.set()
    assert [piece async for piece in pieces] == []
    assert source.closed


async def test_a_client_that_leaves_closes_its_source():
    source = Source(1)
    pieces = stream_of(source, asyncio.Event())
    await anext(pieces)
    await anext(pieces)
    waiting = asyncio.create_task(anext(pieces))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pieces.aclose()
    assert source.closed
