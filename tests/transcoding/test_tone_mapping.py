"""Pictures of high dynamic range, measured: known brightness in, what an ordinary screen shows out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures_transcoding import Benches, decoded
from tests.footage import ffmpeg
from transcoding.tasks import TaskKind

pytestmark = pytest.mark.real

BAR = 40
GREYS = {0: 0, 5: 54, 20: 97, 50: 142, 100: 189, 203: 234, 400: 248, 1000: 255}
"""Nits, and the level of 0 to 255 that they become: linear light below 122 nits, bent to fit above."""
COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
"""Of ordinary screens, at 100 nits."""


def nits(path: Path, transfer: str) -> None:
    """A bar of each brightness and colour: 16 bits of linear light, then the transfer function and BT.2020."""
    levels = [(grey, grey, grey) for grey in GREYS]
    levels += [(100 * red, 100 * green, 100 * blue) for red, green, blue in COLOURS]
    channels = [
        "+".join(
            f"between(X\\,{BAR * at}\\,{BAR * (at + 1) - 1})*{round(65535 * level[channel] / 1000)}"
            for at, level in enumerate(levels)
        )
        for channel in range(3)
    ]
    bars = (
        f"color=black:s={BAR * len(levels)}x180:r=25:d=1,format=gbrp16le,"
        f"geq=r='{channels[0]}':g='{channels[1]}':b='{channels[2]}',"
        "setparams=color_primaries=bt709:color_trc=linear:colorspace=gbr:range=pc,"
        f"zscale=npl=1000:p=bt2020:t={transfer}:m=bt2020nc:r=tv,format=yuv420p10le"
    )
    tags = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p10le"]
    ffmpeg("-f", "lavfi", "-i", bars, *codec, *tags, path)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_paper_is_white_and_colours_and_greys_are_what_they_were(
    transfer: str, bench: Benches, tmp_path: Path
) -> None:
    path = tmp_path / "bars.mp4"
    nits(path, transfer)
    made = bench(path)
    made.run(TaskKind.VIDEO, 0, made.grid.segment_count)
    shown = decoded(made.joined("v180"), "video")[5].to_image()
    there = [shown.getpixel((BAR * at + BAR // 2, 90)) for at in range(len(GREYS) + len(COLOURS))]
    for (brightness, expected), pixel in zip(GREYS.items(), there, strict=False):
        assert pixel == pytest.approx((expected,) * 3, abs=5), brightness
    for colour, pixel in zip(COLOURS, there[len(GREYS) :], strict=True):
        assert pixel == pytest.approx([189 * part for part in colour], abs=12), colour
