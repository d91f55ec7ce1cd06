"""The server itself: a process of its own, on a port of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import httpx
import pytest

from academy.errors import SettingsError
from academy.people import Role
from academy.tokens import issue
from api.server import serve
from tests.documents import a_course, a_lecture, a_recording_of

SERVE = (
    "import sys; from academy.settings import Settings; from api.server import serve; "
    "serve(Settings.load(), '127.0.0.1', int(sys.argv[1]))"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def start(port, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        str(port),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
async def server(api_settings, tmp_path_factory):
    port = free_port()
    process = await start(
        port,
        ACADEMY_MONGODB_URL=api_settings.mongodb_url,
        ACADEMY_MONGODB_DATABASE=api_settings.mongodb_database,
        ACADEMY_STORAGE_URL=api_settings.storage_url,
        ACADEMY_SECRET_KEY=api_settings.secret_key,
        ACADEMY_PUBLIC_URL=f"http://127.0.0.1:{port}",
        ACADEMY_DATA_DIR=str(tmp_path_factory.mktemp("data")),
    )
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        while process.returncode is None:
            try:
                if (await client.get("/health/ready")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        yield process, client
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_answers_do_not_name_the_server(server):
    _, client = server
    answer = await client.get("/v1/courses")
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_open_event_stream_tells_changes_and_does_not_hold_up_the_end(
    server, stores, backend
):
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
        process.send_signal(signal.SIGTERM)
        assert await told() is None  # ended by the server, in good order
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "Traceback" not in output.decode()
    assert "graceful shutdown exceeded" not in output.decode()
    await stores.jobs.cancel(recording.id)


async def test_a_missing_setting_is_raised_as_itself(api_settings):
    settings = api_settings.model_copy(update={"mongodb_url": None})
    with pytest.raises(SettingsError, match="ACADEMY_MONGODB_URL"):
        await asyncio.to_thread(serve, settings, "127.0.0.1", free_port())
