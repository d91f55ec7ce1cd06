"""What moves in interlaced pictures has one place in each picture that comes out: no comb, no ghost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures_transcoding import Benches, Picture, pictures
from tests.footage import ffmpeg
from transcoding.tasks import TaskKind

pytestmark = pytest.mark.real

BAR, STEP = 24, 6
"""Pixels: how wide it is, and how far it moves from one field to the next."""


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_a_moving_bar_stays_one_bar(first: str, bench: Benches, tmp_path: Path) -> None:
    path = tmp_path / "fields.mp4"
    white = f"between(X\\,20+{STEP}*mod(N\\,40)\\,{19 + BAR}+{STEP}*mod(N\\,40))"
    bar = f"color=black:s=320x180:r=50:d=1.6,format=gray,geq=lum='16+219*{white}',format=yuv420p"
    fields = f"{bar},tinterlace=interleave_{first},setfield={first[0]}ff"
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-flags", "+ildct+ilme"]
    ffmpeg("-f", "lavfi", "-i", fields, *codec, path)
    made = bench(path)
    assert made.inspection.video is not None
    assert made.inspection.video.interlaced
    made.run(TaskKind.VIDEO, 0, made.grid.segment_count)
    shown = pictures(made.joined("v180"))
    assert len(shown) == 40
    # The first and the last ones have no neighbours to tell from.
    for number, picture in enumerate(shown[2:18], start=2):
        rows = [lit(picture, row) for row in range(40, 140)]
        begins = {row[0] for row in rows}
        assert max(begins) - min(begins) <= 2, number
        assert all(BAR - 3 <= len(row) <= BAR + 3 for row in rows), number
        # Where the bar was in the field that came first.
        assert min(begins) == pytest.approx(20 + STEP * 2 * number, abs=3)


def lit(picture: Picture, row: int) -> list[int]:
    """The columns that are rather white."""
    line = picture.luma[row * picture.width : (row + 1) * picture.width]
    return [at for at, value in enumerate(line) if value > 110]
