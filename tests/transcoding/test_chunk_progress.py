from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures_footage import Footage
from transcoding.announcements import Event
from transcoding.chunk_progress import ChunkProgress, ChunkWatch, clock_time
from transcoding.local import transcode_file
from transcoding.tasks import TaskKind


def event(**changes: Any) -> Event:
    usual = {"media_id": "m", "kind": TaskKind.VIDEO, "chunk": 1, "attempt": 1, "execution": 0}
    return Event(**usual | {"start": 8.0, "end": 24.0, "of": 4} | changes)


def test_a_chunk_gets_on_by_what_is_recorded_and_what_is_encoded_beyond() -> None:
    heard: list[ChunkProgress] = []
    now = 100.0
    watch = ChunkWatch(heard.append, clock=lambda: now)
    watch(event())
    now = 104.0
    watch(event(ahead=1.0))
    now = 110.0
    watch(event(segments=3))
    watch(event(segments=1))
    assert [each.name for each in heard] == ["picture 0:08–0:24"] * 4
    assert [each.share for each in heard] == [0.0, 0.25, 0.75, 1.0]
    assert [each.speed for each in heard] == [None, 1.0, 1.2, pytest.approx(1.6)]
    # Tried again, it begins anew.
    watch(event(execution=1))
    assert heard[-1].share == 0.0


def test_times_are_told_as_on_a_clock() -> None:
    assert [clock_time(at) for at in (0, 8.2, 75, 3723)] == ["0:00", "0:08", "1:15", "1:02:03"]


async def test_every_chunk_of_a_recording_is_told_of_to_its_end(
    footage: Footage, tiny_file: str, tmp_path: Any
) -> None:
    heard: list[ChunkProgress] = []
    await transcode_file(
        footage("lecture"), tmp_path, profile=tiny_file, workers=2, on_chunk=heard.append
    )
    last = {each.name: each.share for each in heard}
    for kind in ("picture", "sound"):
        assert any(name.startswith(f"{kind} 0:00–") for name in last)
    assert set(last.values()) == {1.0}
