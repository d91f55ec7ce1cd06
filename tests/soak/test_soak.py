"""The short form of `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.run import Plan, soak


@pytest.mark.slow
@pytest.mark.journey
@pytest.mark.timeout(900)
def test_whatever_is_killed_nothing_is_lost_and_nothing_half_published(tmp_path: Path) -> None:
    mischief, verdict = soak(Plan(uploads=2, kills=6, seconds=6), tmp_path)
    assert mischief.kills == 6
    assert verdict.lost == []
    assert verdict.half_published == []
    assert verdict.orphans == []
    assert verdict.outlived == []
    # The long form's 2 % is less than one segment here.
    assert verdict.repeated == 0
    assert verdict.unaccounted == 0
    assert verdict.parts >= 2
    assert verdict.ready + len(verdict.failed) == 2
