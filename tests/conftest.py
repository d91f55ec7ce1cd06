"""Fixtures every part of the suite shares. Each `fixtures_*` module owns one real dependency."""

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

MEMORY = Path("/dev/shm")
ENOUGH = 6 * 1024**3

# Databases, recordings and browser profiles of the tests live in memory where there is plenty: they
# write and sync all the time, and nothing of them is to last.
if (
    "TMPDIR" not in os.environ
    and MEMORY.is_dir()
    and min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ENOUGH
):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

# Nothing asserts seconds: a busy machine must not fail a property.
settings.register_profile("academy", deadline=None)
settings.load_profile("academy")

pytest_plugins: list[str] = [
    # First, since others import it.
    "tests.fixtures_shared",
    "tests.fixtures_browser",
    "tests.fixtures_api",
    "tests.fixtures_footage",
    "tests.fixtures_learning",
    "tests.fixtures_mongo",
    "tests.fixtures_storage",
    "tests.fixtures_transcoding",
]


REAL = {"mongo_url", "s3_server", "ceph_server", "ffmpeg", "footage", "chromium"}
"""Fixtures that start or run what is not ours. Tests that ask for none of them are the unit part, but for
modules that start programs themselves and say so (`pytestmark`)."""


@pytest.hookimpl(tryfirst=True)  # before `-m` is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Contract suites name their backend in a parameter.
        _, _, parameters = item.name.partition("[")
        if REAL.intersection(getattr(item, "fixturenames", ())) or "s3" in parameters:
            item.add_marker("real")


TOGETHER = ("browsers", "command_line", "survival")
"""Journeys over one installation: two more would cost as much as the journeys themselves."""


BY_ITSELF = "of_full_size"
"""Tests that share nothing and take half a minute each: no worker gets all of them."""


class Distribution(LoadFileScheduling):  # type: ignore[misc]
    """As `--dist loadfile`, but files that share what costs much go to one worker, and tests that share nothing
    to any.
    """

    def _split_scope(self, nodeid: str) -> str:
        if BY_ITSELF in nodeid:
            return nodeid
        file = str(super()._split_scope(nodeid))
        shared = {f"tests/journeys/test_{name}.py" for name in TOGETHER}
        return "tests/journeys" if file in shared else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Distribution:
    return Distribution(config, log)
