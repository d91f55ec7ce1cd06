"""The ring of keys that sign badges."""

from __future__ import annotations

import json
import stat

from typer.testing import CliRunner

from academy.badge_keys import BadgeKeys, renew
from academy.cli import app
from academy.commands.data_directory import DataDirectory


def test_a_new_key_signs_and_the_former_only_verifies(tmp_path):
    file = tmp_path / "keys.json"
    first = renew(file)
    old = BadgeKeys.read(file)
    second = renew(file)
    new = BadgeKeys.read(file)
    assert (old.kid, new.kid) == (first, second)
    assert [key["kid"] for key in new.public()] == [second, first]
    assert old.public()[0] == new.public()[1]
    assert old.sign(b"x") != new.sign(b"x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["keys"][1].keys() == {"kty", "crv", "kid", "x"}


def test_the_data_directory_makes_its_ring_once(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    kid = BadgeKeys.read(directory.badge_keys()).kid
    assert BadgeKeys.read(directory.badge_keys()).kid == kid


def test_the_command_renews_the_ring_of_the_data_directory(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    before = BadgeKeys.read(directory.badge_keys())
    result = CliRunner().invoke(app, ["badge-key", "--data-dir", str(directory.path)])
    assert result.exit_code == 0, result.output
    after = BadgeKeys.read(directory.badge_keys())
    assert after.kid in result.output
    assert [key["kid"] for key in after.public()] == [after.kid, before.kid]
