"""Which ffmpeg is taken, and when none will do."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from academy.errors import SettingsError
from transcoding import binary
from transcoding.binary import FFmpeg, examine, find


def script(path: Path, ffmpeg: FFmpeg, edit: str) -> Path:
    """A real ffmpeg whose every answer passes through sed."""
    path.write_text(f"#!/bin/sh\n{ffmpeg.path} \"$@\" | sed -e '{edit}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_one_found_can_do_all_that_is_needed(ffmpeg: FFmpeg) -> None:
    assert ffmpeg.good
    assert Path(ffmpeg.path).is_file()
    assert ffmpeg.version
    assert len(ffmpeg.fingerprint) == 16
    found = find(Path(ffmpeg.path)) if ffmpeg.origin == "setting" else find()
    assert found == examine(ffmpeg.path, ffmpeg.origin)


def test_a_setting_goes_before_everything(ffmpeg: FFmpeg) -> None:
    chosen = find(Path(ffmpeg.path))
    assert chosen.origin == "setting"
    assert chosen.fingerprint == ffmpeg.fingerprint


def test_a_wrong_setting_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ACADEMY_FFMPEG names .*nothing.*Install ffmpeg"):
        find(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("edit", "missing"),
    [
        ("s/ libx264 / libx26x /", "encoder libx264"),
        ("s/^ffmpeg version [^ ]*/ffmpeg version 4.4.2-0ubuntu0/", "version 5.1 or newer"),
    ],
)
def test_a_poor_build_is_refused_by_what_it_lacks(
    edit: str, missing: str, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    poor = script(tmp_path / "ffmpeg", ffmpeg, edit)
    with pytest.raises(SettingsError, match=missing):
        find(poor)


def test_a_poor_system_ffmpeg_makes_way_for_the_wheels(
    ffmpeg: FFmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "ffmpeg", ffmpeg, "s/ aac / axc /")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find().origin == "wheel"


def test_a_good_system_ffmpeg_is_taken(
    ffmpeg: FFmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ffmpeg").symlink_to(ffmpeg.path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find().origin == "system"


def test_one_look_serves_all_that_ask_at_once_whatever_they_call_it(
    ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    counting = tmp_path / "ffmpeg"
    counting.write_text(f'#!/bin/sh\necho "$2" >> {tmp_path}/starts\nexec {ffmpeg.path} "$@"\n')
    counting.chmod(counting.stat().st_mode | stat.S_IXUSR)
    with ThreadPoolExecutor(3) as pool:
        seen = list(pool.map(partial(examine, str(counting)), ("setting", "system", "wheel")))
    assert [each.origin for each in seen] == ["setting", "system", "wheel"]
    assert len({each.fingerprint for each in seen}) == 1
    assert (tmp_path / "starts").read_text().count("-version") == 1


def test_builds_that_may_encode_differently_differ_in_their_fingerprint(
    ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    other_build = script(tmp_path / "a", ffmpeg, "s/^configuration: /configuration: --x /")
    other_x264 = script(tmp_path / "b", ffmpeg, "s/x264 - core 1/x264 - core 9/")
    prints = {examine(str(each), "setting").fingerprint for each in (other_build, other_x264)}
    assert len(prints | {ffmpeg.fingerprint}) == 3


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("5.1.9-0+deb12u1", True),
        ("n9.0.2-17-g2a571b6068-20260930", True),
        ("7.0", True),
        ("N-118000-gabcdef", True),
        ("2024-05-20-git-127ded5078", True),
        ("4.4.2-0ubuntu0.22.04.1", False),
        ("5.0.3", False),
        ("", False),
    ],
)
def test_versions_are_read_as_distributions_write_them(version: str, enough: bool) -> None:
    assert binary._new_enough(version) is enough
