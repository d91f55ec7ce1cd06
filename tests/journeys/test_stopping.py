"""Services whose dependencies go away and come back, and that hand back what they hold when they stop."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from academy.embedded import EmbeddedMongo
from tests.fixtures_footage import Footage
from tests.fixtures_storage import running_swift
from tests.journeys.conftest import Installing
from tests.journeys.installation import ACADEMY, PATIENCE, free_port, wait_until

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def test_readiness_names_what_is_away_and_recovers(tmp_path: Path, stack: ExitStack) -> None:
    home, swift = tmp_path / "mongo", tmp_path / "swift"
    swift.mkdir()
    mongo = EmbeddedMongo(home)
    mongo_url = mongo.start()
    stack.callback(mongo.stop)
    storage = ExitStack()
    stack.callback(storage.close)
    port = free_port()
    server = storage.enter_context(running_swift(swift, port))
    url = f"http://127.0.0.1:{free_port()}"
    env = {
        **server.environment,
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "ACADEMY_DATA_DIR": str(tmp_path / "data"),
        "ACADEMY_MONGODB_URL": mongo_url,
        "ACADEMY_STORAGE_URL": f"s3://{server.new_bucket()}",
        "ACADEMY_SECRET_KEY": "0" * 32,
    }
    command = [*ACADEMY, "api", "--port", url.rpartition(":")[2]]
    api = subprocess.Popen(command, env=env)
    stack.callback(api.wait, PATIENCE)
    stack.callback(api.terminate)

    def ready() -> dict[str, Any]:
        try:
            answer: dict[str, Any] = httpx.get(f"{url}/health/ready", timeout=30).json()
        except httpx.TransportError:
            return {}
        return answer

    def away() -> set[str]:
        return {
            name for name, each in ready().get("dependencies", {}).items() if each["status"] != "ok"
        }

    wait_until(lambda: ready().get("status") == "ok", "the API is ready")
    mongo.stop()
    wait_until(lambda: away() == {"mongodb"}, "the database is named")
    storage.close()
    wait_until(lambda: away() == {"mongodb", "storage"}, "both are named")
    assert ready()["detail"] == "Does not answer: mongodb, storage."
    assert httpx.get(f"{url}/health/live", timeout=30).status_code == 200
    mongo.start()
    wait_until(lambda: away() == {"storage"}, "only the storage is named")
    storage.enter_context(running_swift(swift, port))
    wait_until(lambda: ready().get("status") == "ok", "the API is ready again")
    assert api.poll() is None


def test_a_transcoder_that_is_told_to_stop_hands_its_job_back_at_once(
    install: Installing, footage: Footage
) -> None:
    academy = install().start()
    academy.add_course("journey")
    recording = footage("lecture", duration=120)
    arguments = ["--course", "journey", "--title", "Long", "--publish"]
    lecture_id = academy.uploaded(academy.run("upload", str(recording), *arguments))
    wait_until(
        lambda: academy.recording(lecture_id)["state"] == "running", "it runs", also=academy.log
    )
    # Its parent would start another one at once. Without one, nobody is there who would requeue a job
    # whose lease has run out: if it is queued, it was handed back.
    assert academy.process is not None
    academy.process.send_signal(signal.SIGSTOP)
    try:
        transcoder = academy.child("transcoder")
        transcoder.send_signal(signal.SIGTERM)
        wait_until(
            lambda: academy.recording(lecture_id)["state"] == "queued", "it is handed back",
            also=academy.log,
        )  # fmt: skip
    finally:
        academy.process.send_signal(signal.SIGCONT)
    wait_until(
        lambda: academy.recording(lecture_id)["state"] != "queued", "another goes on",
        also=academy.log,
    )  # fmt: skip
