"""The second pass: rungs that arrive after the rest was published, as a new revision."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import m3u8
import pytest

from academy.errors import Unavailable
from academy.media import MediaPlan, Publication
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import pictures
from transcoding import pipeline
from transcoding.directory import DirectoryLedger
from transcoding.local import transcode_file
from transcoding.planning import Planner
from transcoding.publish import Publisher


@pytest.fixture(autouse=True)
def _large_rung_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_passes(plan: MediaPlan, slots: int) -> MediaPlan:
        assert slots == 2
        return plan.model_copy(update={"later": ["v180"]})

    monkeypatch.setattr(pipeline, "in_passes", in_passes)


def variants(main: Path) -> set[str]:
    return {each.uri for each in m3u8.load(str(main)).playlists}


def frames(main: Path, track: str) -> int:
    listed = m3u8.load(str(main.parent / f"{track}.m3u8"))
    names = [listed.segment_map[0].uri, *(segment.uri for segment in listed.segments)]
    return len(pictures(b"".join((main.parent / name).resolve().read_bytes() for name in names)))


async def test_what_comes_later_is_a_second_revision_over_the_same_segments(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(
        footage("lecture"), tmp_path, profile=tiny_file, workers=2, watched=True
    )
    first, last = tmp_path / "r1/main.m3u8", tmp_path / summary["hls"]
    assert last.parent.name.startswith("r2-")
    assert variants(last) == variants(first) | {"v180.m3u8"}
    assert "v180.m3u8" not in variants(first)
    assert frames(first, "v90") == frames(last, "v90") == frames(last, "v180") == 180
    assert (last.parent / "v90.m3u8").read_text() == (first.parent / "v90.m3u8").read_text()
    assert [each["id"] for each in summary["renditions"]] == ["v180", "v90", "a96"]
    assert summary["poster"] == "r1/poster.jpg"
    # Decoding once more takes nothing from the sound.
    assert len(list(tmp_path.glob("a96/*.m4s"))) == 6


async def test_a_source_that_ends_early_is_as_long_in_both_passes(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(
        footage("long_audio"), tmp_path, profile=tiny_file, workers=2, watched=True
    )
    main = tmp_path / summary["hls"]
    assert frames(main, "v180") == frames(main, "v90") == round(summary["duration"] * 30)


async def test_whoever_goes_on_after_the_first_revision_makes_only_the_second(
    footage: Footage, tiny_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DirectoryLedger.publish

    async def dies_after_publishing(self: DirectoryLedger, publication: Publication) -> None:
        await whole(self, publication)
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(DirectoryLedger, "publish", dies_after_publishing)
        with pytest.raises(Unavailable):
            await transcode_file(
                footage("lecture"), tmp_path, profile=tiny_file, workers=2, watched=True
            )
    assert not list(tmp_path.glob("r2*"))
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("r1/*.*") if path.is_file()}
    small = {path: path.stat().st_mtime_ns for path in tmp_path.glob("v90/*.m4s")}

    async def plans_again(self: Planner, *_: object) -> None:
        raise AssertionError("what was frozen is not planned again")

    monkeypatch.setattr(Planner, "plan", plans_again)
    summary = await transcode_file(
        footage("lecture"), tmp_path, profile=tiny_file, workers=2, watched=True
    )
    assert frames(tmp_path / summary["hls"], "v180") == 180
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert {path: path.stat().st_mtime_ns for path in small} == small


async def test_the_second_pass_begins_while_the_first_is_being_published(
    footage: Footage, tiny_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, met = Publisher.publish, threading.Event()

    def waits(self: Publisher, plan: MediaPlan, *rest: Any, **more: Any) -> Publication:
        end = time.monotonic() + 60
        while not met.is_set() and time.monotonic() < end:
            if list(tmp_path.glob("v180/*.m4s")):
                met.set()
            time.sleep(0.02)
        return whole(self, plan, *rest, **more)

    monkeypatch.setattr(Publisher, "publish", waits)
    summary = await transcode_file(
        footage("lecture"), tmp_path, profile=tiny_file, workers=2, watched=True
    )
    assert met.is_set()
    assert frames(tmp_path / summary["hls"], "v180") == 180


async def test_what_fails_first_ends_what_goes_on_beside_it() -> None:
    ended = asyncio.Event()

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise Unavailable("at once")

    for aside, main in ((goes_on, fails), (fails, goes_on)):
        ended.clear()
        with pytest.raises(Unavailable, match="at once"):
            await pipeline.beside(aside(), main())
        assert ended.is_set()
