"""Chunks against a single run, at every frame rate that recordings have: the same frames at the same times."""

from __future__ import annotations

import pytest

from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import Benches, pictures
from transcoding.tasks import TaskKind

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]


@pytest.mark.parametrize("rate", RATES)
def test_over_three_seams_frames_and_times_are_those_of_a_single_run(
    rate: str, bench: Benches, footage: Footage
) -> None:
    path = footage("no_audio", duration=2, size="160x90", rate=rate)
    single, chunked = bench(path, segment_seconds=0.5), bench(path, segment_seconds=0.5)
    count = single.grid.segment_count
    assert count >= 4
    single.run(TaskKind.VIDEO, 0, count)
    for first in range(count):
        chunked.run(TaskKind.VIDEO, first, 1)
    one, other = pictures(single.joined("v90")), pictures(chunked.joined("v90"))
    assert len(one) == len(other) == single.grid.frames
    assert [p.time for p in one] == pytest.approx([p.time for p in other], abs=1e-6)
    # The test card changes in every frame: a frame too many or too few would differ everywhere behind it.
    worst = max(
        sum(abs(a - b) for a, b in zip(x.luma, y.luma, strict=True)) / len(x.luma)
        for x, y in zip(one, other, strict=True)
    )
    assert worst < 4
    starts = [(r.number, r.start, r.duration, r.units) for r in single.track("v90")]
    assert starts == [(r.number, r.start, r.duration, r.units) for r in chunked.track("v90")]
