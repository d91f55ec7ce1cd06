"""The server itself: a process of its own, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest

from academy.errors import SettingsError
from academy.people import Role
from academy.tokens import issue
from api.server import serve
from tests.api.serving import free_port, serving
from tests.documents import a_course, a_lecture, a_recording_of


@pytest.fixture(scope="module")
async def server(api_settings, tmp_path_factory):
    async with serving(api_settings, tmp_path_factory.mktemp("data")) as served:
        yield served


async def test_answers_do_not_name_the_server(server):
    _, client = server
    answer = await client.get("/v1/courses")
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("complete", [b"\r\n\r\n", b""])
async def test_a_head_without_end_is_refused_before_it_is_all_there(server, complete):
    _, client = server
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    with contextlib.suppress(ConnectionError):
        for turn in range(64):
            writer.write(b"GET / HTTP/1.1\r\nX: " if turn == 0 else b"a" * 65_536)
            await writer.drain()
        writer.write(complete)
    with contextlib.suppress(ConnectionError):
        assert b"431" in await reader.readline()
    writer.close()
    ordinary = {"Authorization": "Bearer " + "a" * 8000}
    assert (await client.get("/v1/me/courses", headers=ordinary)).status_code == 401


async def test_stopping_lets_a_slow_request_finish_and_ends_event_streams(server, stores, backend):
    """Which tell changes until then."""
    process, client = server
    course = a_course(owner="ann")
    await stores.courses.add(course)
    lecture = await stores.courses.add_lecture(a_lecture(course.slug))
    recording = await a_recording_of(stores, lecture)
    token = issue(backend.keys, Role.INSTRUCTOR, "ann", 3600)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/v1/lectures/{lecture.id}/recording/events"
    async with client.stream("GET", path, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()

        async def told():
            async for line in lines:
                if line.startswith("data: "):
                    return line
            return None

        assert '"queued"' in await told()
        await stores.jobs.claim_next("dispatcher")  # another process writes, this one is told
        assert '"running"' in await told()
        body = b'{"position": 1, "watched": [[0, 1]]}'
        slow_reader, slow_writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        slow_writer.write(
            f"PUT /v1/me/progress/{lecture.id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:7]
        )
        await slow_writer.drain()
        await until_under_way(client, 3)  # the stream, the slow one, and the one that asks
        process.send_signal(signal.SIGTERM)
        assert await told() is None  # ended by the server, in good order
        slow_writer.write(body[7:])
        assert (await slow_reader.readline()).split()[1] == b"204"
        slow_writer.close()
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "Traceback" not in output.decode()
    assert "graceful shutdown exceeded" not in output.decode()
    await stores.jobs.cancel(recording.id)
    # Accepted is written, also by a server that stops.
    written = await stores.database.progress.find_one({"subject": "ann", "lecture": lecture.id})
    assert written["watched"] == [[0, 1]]


async def until_under_way(client, requests):
    told = f"academy_http_requests_running {requests}.0"
    while told not in (await client.get("/metrics")).text:
        pass


async def test_a_missing_setting_is_raised_as_itself(api_settings):
    settings = api_settings.model_copy(update={"mongodb_url": None})
    with pytest.raises(SettingsError, match="ACADEMY_MONGODB_URL"):
        await asyncio.to_thread(serve, settings, "127.0.0.1", free_port())
