"""What is made first and what later, from the choice to the second revision."""

from __future__ import annotations

import pytest

from academy.media import Chunk, Grid, VideoRendition
from academy.recordings import Ratio
from transcoding.chunks import joined, plan_chunks
from transcoding.passes import later_rungs


def rung(size: int, cost: float | None, codec: str = "h264") -> VideoRendition:
    return VideoRendition(
        id=f"{codec[0]}{size}",
        width=size * 16 // 9,
        height=size,
        codec=codec,
        preset="faster",
        crf=23,
        cost=cost,
        max_rate=1,
        buffer=1,
        profile="high",
        level="4.0",
    )


LADDER = [rung(1080, 0.7), rung(720, 0.3), rung(360, 0.1)]


@pytest.mark.parametrize(
    ("slots", "factor", "later"),
    [
        (2, 1.0, []),  # 1.1 core seconds per second: 1.8 times real time
        (2, 1.2, []),  # 1.32: each encoder still makes a segment within 1.5 target durations
        (2, 1.3, ["h1080"]),
        (1, 1.0, ["h1080"]),  # alone, 1.3 times real time leaves 0.77
        (0, 1.0, ["h1080"]),  # no worker yet: as if there were one
        (32, 1.4, ["h1080"]),  # more encoders make no segment faster
        (2, 4.0, ["h1080", "h720"]),
        (2, 100.0, ["h1080", "h720"]),  # something must come first
    ],
)
def test_what_encoders_cannot_keep_up_with_comes_later(
    slots: int, factor: float, later: list[str]
) -> None:
    rungs = [r.model_copy(update={"cost": (r.cost or 0) * factor}) for r in LADDER]
    assert later_rungs(rungs, slots) == later


def test_a_codec_that_not_every_player_has_waits_for_the_one_they_have() -> None:
    rungs = [*LADDER, rung(360, 0.01, "av1"), rung(1080, 0.9, "av1")]
    assert later_rungs(rungs, 2) == ["a1080"]
    dear = [r.model_copy(update={"cost": 2 * (r.cost or 0)}) for r in rungs]
    assert later_rungs(dear, 2) == ["h1080", "a360", "a1080"]


def test_nothing_is_put_off_whose_cost_nobody_measured() -> None:
    assert later_rungs([rung(1080, None), rung(360, 9.0)], 1) == []


def test_the_short_chunks_are_one_in_the_second_pass() -> None:
    sizes = [1, 1, 1, 1, 2, 2, 4, 4, 16, 16, 20]
    chunks = [
        Chunk(index=n, first_segment=sum(sizes[:n]), segments=size) for n, size in enumerate(sizes)
    ]
    found = joined(chunks)
    assert [(chunk.first_segment, chunk.segments) for chunk in found] == [
        (0, 16),
        (16, 16),
        (32, 16),
        (48, 20),
    ]


def test_joined_chunks_cover_the_same_segments() -> None:

    for frames in (1, 30, 119, 120, 121, 5000, 216_000):
        chunks = plan_chunks(Grid(frame_rate=Ratio(num=30), segment_frames=120, frames=frames))
        found = joined(chunks)
        covered = [n for c in found for n in range(c.first_segment, c.first_segment + c.segments)]
        assert covered == list(range(sum(chunk.segments for chunk in chunks)))
        assert max(c.segments for c in found) <= max(c.segments for c in chunks)
