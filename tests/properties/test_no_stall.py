"""A viewer who presses play as soon as there is something to play never waits, if the encoders keep the
pace that the first pass is chosen for. Chunks are handed out as `schedule.py` does: in order, each to the
next encoder that is free."""

from __future__ import annotations

import heapq
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from academy.media import Grid
from academy.recordings import Ratio
from transcoding.chunks import plan_chunks
from transcoding.passes import AHEAD, PACE

SEGMENT = 4.0
TARGET = 4.0


def shown_at(segments: int, encoders: int, speed: float, seek: float) -> list[float]:
    """When each segment appears in the growing playlist, seconds."""
    grid = Grid(frame_rate=Ratio(num=30), segment_frames=120, frames=120 * segments)
    free = [0.0] * encoders
    done: list[float] = []
    for chunk in plan_chunks(grid, slots=encoders):
        time = heapq.heappop(free) + seek
        for _ in range(chunk.segments):
            time += SEGMENT / speed
            done.append(time)
        heapq.heappush(free, time)
    return list(accumulate(done, max))


@given(
    segments=st.integers(1, 400),
    encoders=st.integers(1, 40),
    faster=st.floats(1.0, 20.0),
    seek=st.floats(0.0, 0.5),
)
def test_whoever_presses_play_at_once_never_waits(
    segments: int, encoders: int, faster: float, seek: float
) -> None:
    speed = max(AHEAD / encoders, PACE) * faster
    shown = shown_at(segments, encoders, speed, seek / faster)
    late = max(at - (shown[0] + SEGMENT * number) for number, at in enumerate(shown))
    assert late <= 1e-6


@given(segments=st.integers(2, 400), encoders=st.integers(1, 40), seek=st.floats(0.0, 0.5))
def test_the_playlist_grows_within_one_and_a_half_target_durations(
    segments: int, encoders: int, seek: float
) -> None:
    shown = shown_at(segments, encoders, max(AHEAD / encoders, PACE), seek)
    assert max((b - a for a, b in pairwise(shown)), default=0.0) <= 1.5 * TARGET
