from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from academy.media import Chunk, Grid
from tests.properties.test_grid import grids
from transcoding.chunks import LONGEST_CHUNK, missing_runs, plan_chunks, plan_stretches


@given(grids(), st.sampled_from([plan_chunks, plan_stretches]))
def test_chunks_cover_every_segment_once_and_in_order(grid: Grid, plan: object) -> None:
    chunks: list[Chunk] = plan(grid)  # type: ignore[operator]
    numbers = [
        number
        for chunk in chunks
        for number in range(chunk.first_segment, chunk.first_segment + chunk.segments)
    ]
    assert numbers == list(range(grid.segment_count))
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))


@given(grids())
def test_no_chunk_is_much_longer_than_the_longest(grid: Grid) -> None:
    length = max(chunk.segments for chunk in plan_chunks(grid)) * grid.segment_frames
    assert length / grid.frame_rate.fraction <= LONGEST_CHUNK * 5 / 4


@given(
    st.integers(min_value=0, max_value=50),
    st.integers(min_value=1, max_value=50),
    st.sets(st.tuples(st.sampled_from("ab"), st.integers(min_value=0, max_value=100))),
)
def test_missing_runs_are_exactly_the_segments_some_track_lacks(
    first: int, segments: int, done: set[tuple[str, int]]
) -> None:
    chunk = Chunk(index=0, first_segment=first, segments=segments)
    runs = list(missing_runs(chunk, "ab", done))
    missing = [number for start, count in runs for number in range(start, start + count)]
    expected = [
        number
        for number in range(first, first + segments)
        if not {("a", number), ("b", number)} <= done
    ]
    assert missing == expected
    # Maximal: two runs never touch.
    assert all(a[0] + a[1] < b[0] for a, b in pairwise(runs))
