import asyncio
import random
from contextlib import nullcontext

import pytest

from academy.commands import remote, sending
from academy.courses import Course
from academy.settings import Settings
from api.app import create_app
from api.server import Server
from tests.academy.uploading.unsteady import UnsteadyNetwork, at_once
from tests.academy.uploading.upload_site import SECRET, SIZE, Site


@pytest.fixture(scope="module")
async def served(stores, mongo_url, database_name, tmp_path_factory):
    network = UnsteadyNetwork()
    async with network.listening():
        settings = Settings(
            mongodb_url=mongo_url,
            mongodb_database=database_name,
            storage_url=f"file://{tmp_path_factory.mktemp('storage')}",
            public_url=f"http://127.0.0.1:{network.port}",
            secret_key=SECRET,
        )
        server = Server(create_app(settings), "127.0.0.1", 0)
        server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(server.run_app())
        while not server.started:
            assert not running.done(), running.result()
            await asyncio.sleep(0.02)
        network.target = server.servers[0].sockets[0].getsockname()[1]
        await stores.courses.add(
            Course(slug="uploads", title={"zh": "上传"}, language="zh", owner="ann")
        )
        yield network, settings
        server.should_exit = True
        await running


@pytest.fixture
def site(served, stores, tmp_path, monkeypatch):
    network, settings = served
    network.cut = lambda _head, _received: False
    network.change = lambda data: data
    network.hold = at_once
    network.received = 0
    network.requests.clear()
    monkeypatch.setattr(remote, "pause", lambda _tries: 0.02)
    monkeypatch.setattr(sending, "pause", lambda _tries: 0.02)
    return Site(network, settings, stores, tmp_path / "state")


@pytest.fixture
def recording(tmp_path):
    """One part."""
    file = tmp_path / "讲座 1.mp4"
    file.write_bytes(random.Random(7).randbytes(200_000))
    return file


@pytest.fixture
def long_recording(tmp_path):
    """Three parts."""
    file = tmp_path / "讲座 2.mp4"
    file.write_bytes(random.Random(8).randbytes(SIZE))
    return file
