import json
import os
import signal

import httpx
import psutil
import pytest

from academy.commands.data_directory import DataDirectory
from tests.journeys.installation import Installation, wait_until


@pytest.mark.slow
@pytest.mark.journey
@pytest.mark.timeout(300)
def test_up_brings_back_a_killed_service_and_takes_everything_along_when_killed_itself(tmp_path):
    installation = Installation(tmp_path)
    try:
        installation.start()
        assert installation.process is not None
        announced = json.loads((installation.data / "up.json").read_text())
        assert announced["url"] == installation.url
        assert announced["pid"] == installation.process.pid
        installation.add_course("kept")

        killed = installation.child("api")
        killed.kill()
        killed.wait(60)
        wait_until(lambda: answers(installation), "the API is back", also=installation.log)
        assert installation.child("api").pid != killed.pid
        assert "The api ended with status -9" in installation.log()

        # Nothing is told to anybody: the kernel closes the pipes that `up` held.
        parts = psutil.Process(installation.process.pid).children(recursive=True)
        commands = " ".join(word for part in parts for word in part.cmdline())
        for name in ("mongod", "transcoder", "api"):
            assert name in commands
        os.kill(installation.process.pid, signal.SIGKILL)
        installation.process.wait()
        installation.process = None
        _, alive = psutil.wait_procs(parts, timeout=60)
        assert alive == []
        assert DataDirectory(installation.data).running() is None

        installation.start()
        assert httpx.get(f"{installation.url}/v1/courses/kept").status_code == 200
        assert installation.stop() == 0
        assert not (installation.data / "up.json").exists()
    finally:
        installation.close()


def answers(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False
