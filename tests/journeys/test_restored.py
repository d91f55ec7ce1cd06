"""What docs/operating.md says of backups, followed on a machine that has nothing: the lecture plays there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures_footage import Footage
from tests.journeys.conftest import Installing
from tests.journeys.decoding import decode

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.mark.slow
def test_a_lecture_plays_from_a_restored_installation_and_the_next_one_is_taken(
    install: Installing, footage: Footage, tmp_path: Path
) -> None:
    old, new, saved = install(), install(), tmp_path / "saved"
    old.start().add_course("kept")
    upload = ("upload", str(footage("lecture", duration=6)), "--course", "kept", "--publish")
    kept = old.uploaded(old.run(*upload, "--title", "Kept", "--wait"))
    token = old.token("admin")
    # The order that loses nothing: the database while everything runs, then the objects.
    old.run("backup", str(saved))
    later = old.uploaded(old.run(*upload, "--title", "Later", "--wait"))
    shutil.copytree(old.data / "storage", new.data / "storage")
    for name in ("secret-key", "badge-keys.json"):
        shutil.copy2(old.data / name, new.data / name)
    before = old.lecture(kept)["playback"]
    assert old.stop() == 0

    new.run("restore", str(saved))
    new.start()

    playback = new.lecture(kept)["playback"]
    assert playback["renditions"] == before["renditions"]
    assert decode(playback["hls"]).frames == 6 * 30
    new.client.headers["Authorization"] = f"Bearer {token}"
    assert new.client.get("/v1/admin/jobs").status_code == 200
    # The lecture of after the backup is not known, and its objects are found.
    assert new.client.get(f"/v1/lectures/{later}").status_code == 404
    said = new.run("gc", "--older-than", "0").stdout
    assert "1 × recording" in said
    assert "Nothing was deleted" in said
    following = new.uploaded(new.run(*upload, "--title", "Next", "--wait"))
    assert decode(new.lecture(following)["playback"]["hls"]).frames == 6 * 30
