from __future__ import annotations

from academy.media import Chunk, Grid
from academy.recordings import Ratio
from transcoding.chunks import missing_runs, plan_chunks, plan_stretches


def grid(seconds: int, rate: int = 30) -> Grid:
    return Grid(frame_rate=Ratio(num=rate), segment_frames=4 * rate, frames=seconds * rate)


def sizes(chunks: list[Chunk]) -> list[int]:
    return [chunk.segments for chunk in chunks]


def test_chunks_are_small_where_a_viewer_waits_and_long_where_nobody_does() -> None:
    assert sizes(plan_chunks(grid(600))) == [1, 1, 2, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16, 6]


def test_two_hours_are_some_hundred_chunks() -> None:
    chunks = plan_chunks(grid(7200))
    assert len(chunks) == 117
    assert max(sizes(chunks)) * 4 <= 80


def test_a_short_rest_joins_its_predecessor() -> None:
    assert sizes(plan_chunks(grid(136))) == [1, 1, 2, 4, 8, 18]


def test_encoders_end_together() -> None:
    assert sizes(plan_chunks(grid(32), slots=2)) == [1, 1, 2, 2, 1, 1]
    assert sizes(plan_chunks(grid(600), slots=2))[-6:] == [11, 5, 3, 1, 1, 1]
    # 128 encoders: the first wave takes half, the rest is shared out in smaller pieces.
    many = sizes(plan_chunks(grid(7200), slots=128))
    assert max(many) == 7
    assert sum(many) == 1800
    assert many[-1] == 1


def test_where_nobody_watches_chunks_are_long_from_the_start() -> None:
    assert sizes(plan_chunks(grid(48), slots=2, watched=False)) == [6, 3, 3]
    assert sizes(plan_chunks(grid(20), slots=2, watched=False)) == [2, 3]
    assert sizes(plan_chunks(grid(120), slots=2, watched=False)) == [15, 7, 8]
    assert sizes(plan_chunks(grid(600), slots=2, watched=False)) == [60, 45, 22, 11, 6, 3, 3]
    assert sizes(plan_chunks(grid(7200), slots=2, watched=False))[:3] == [60, 60, 60]


def test_a_few_seconds_are_two_chunks_for_two_cores() -> None:
    assert sizes(plan_chunks(grid(8))) == [1, 1]
    assert sizes(plan_chunks(grid(3))) == [1]


def test_the_first_stretch_of_sound_is_short_and_later_ones_are_long() -> None:
    assert sizes(plan_stretches(grid(3600))) == [2, 16, 32, 64, 128, 150, 150, 150, 150, 58]
    assert sizes(plan_stretches(grid(3600), whole=True)) == [900]


def test_what_is_missing_of_a_chunk_are_runs_without_receipts() -> None:
    chunk = Chunk(index=3, first_segment=4, segments=6)
    tracks = ["a", "b"]
    done = {(track, number) for track in tracks for number in (4, 6, 7)} | {("a", 9)}
    assert list(missing_runs(chunk, tracks, done)) == [(5, 1), (8, 2)]
    assert list(missing_runs(chunk, tracks, set())) == [(4, 6)]
    everything = {(track, number) for track in tracks for number in range(20)}
    assert list(missing_runs(chunk, tracks, everything)) == []
