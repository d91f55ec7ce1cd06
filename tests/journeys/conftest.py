"""One installation per test process for the journeys that leave it as they found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.installation import Installation

Installing = Callable[..., Installation]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Installing]:
    """Makes installations that are gone after the test."""
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = tmp_path / f"installation-{len(made)}"
        folder.mkdir()
        made.append(Installation(folder, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.close()


@pytest.fixture(scope="session")
def academy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running installation with the published course `journey`."""
    installation = Installation(tmp_path_factory.mktemp("academy"))
    try:
        installation.start()
        installation.add_course("journey")
        yield installation
    finally:
        installation.close()
