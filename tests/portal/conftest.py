from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from academy.mongo.stores import MongoStores
from tests.fixtures_footage import Footage
from tests.fixtures_shared import alone, keep, kept
from tests.portal.desk import PART
from tests.portal.film import Film, make_film
from tests.portal.site import Site, running_site


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test can look at and hold back goes through the test: eight megabytes at a time would be slow."""
    monkeypatch.setattr("academy.uploads.USUAL_PART", PART)
    monkeypatch.setattr("academy.storage.staging.SMALLEST_PART", PART)


@pytest.fixture(scope="module")
async def site(
    tmp_path_factory: pytest.TempPathFactory,
    mongo_url: str,
    database_name: str,
    stores: MongoStores,
) -> AsyncIterator[Site]:
    """The whole application over a real database and real disk storage, empty at first."""
    folder = tmp_path_factory.mktemp("site")
    async with running_site(folder, mongo_url, database_name, stores) as running:
        yield running


@pytest.fixture(scope="session")
async def film(shared_folder: Path, footage: Footage) -> Film:
    """Sixteen seconds in eight segments."""
    recording = footage("lecture", duration=16, size="640x360", rate="10")
    note = shared_folder / "film.pickle"
    with alone(note):
        film = kept(note)
        if film is None:
            folder = shared_folder / "film"
            folder.mkdir()
            film = await make_film(folder, recording)
            keep(note, film)
    assert isinstance(film, Film)
    return film
