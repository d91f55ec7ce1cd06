from __future__ import annotations

from pathlib import Path

from tests.fixtures_storage import S3Server
from tests.soak.mischief import Mischief
from tests.soak.town import Town


def test_a_disk_that_was_never_full_is_told_of(tmp_path: Path) -> None:
    built = Town(tmp_path, {}, "", "", S3Server("", "", "", ""))
    mischief = Mischief(built, seed=1)
    mischief._fill()
    [without] = mischief.left_out()
    assert "no small one could be mounted" in without
    built.disk = tmp_path
    [unlucky] = mischief.left_out()
    assert "chance" in unlucky
    mischief.done["fill disk"] += 1
    assert mischief.left_out() == []
