"""Recordings of which it is known what must be seen and heard when: a flash with a beep, and two patches.

The left half is white for a tenth of a second and black for the rest, again and again, with a beep of
exactly the same times. The right half is red above blue, so that turned or miscoloured pictures show.
`write(path, **options)` makes one; `Beacon` tells what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.footage import AAC, H264, ffmpeg

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


@dataclass(frozen=True)
class Beacon:
    """`size` in stored pixels, `seconds` of the whole, `rate` of the pictures."""

    seconds: Fraction = Fraction(2)
    rate: Fraction = Fraction(30)
    size: tuple[int, int] = (320, 180)
    channels: int = 2
    sample_rate: int = 48_000

    @property
    def period(self) -> int:
        """Frames between two flashes: about half a second."""
        return max(2, round(self.rate / 2))

    @property
    def flash(self) -> int:
        return max(1, round(self.rate / 10))

    @property
    def times(self) -> list[float]:
        """Seconds at which flashes and beeps begin."""
        step = self.period / self.rate
        return [
            float(n * step) for n in range(int(self.seconds / step) + 1) if n * step < self.seconds
        ]

    def picture(self, *filters: str) -> list[str]:
        width, height = self.size
        when = f"lt(mod(n\\,{self.period})\\,{self.flash})"
        left, top = width // 2, height // 2
        boxes = [
            f"drawbox=x=0:y=0:w={left}:h={height}:c=white:t=fill:enable='{when}'",
            f"drawbox=x={left}:y=0:w={width - left}:h={top}:c=red:t=fill",
            f"drawbox=x={left}:y={top}:w={width - left}:h={height - top}:c=blue:t=fill",
        ]
        length = f"r={self.rate}:d={float(self.seconds):.6f}"
        field = ",".join([f"color=black:s={width}x{height}:{length},format=gbrp", *boxes])
        # No two pictures are the same: what repeats might be thought to be shown twice.
        corner = f"testsrc2=s={width // 8 * 2}x{height // 8 * 2}:{length},format=gbrp,noise=alls=80:allf=t+u"
        joined = ",".join([f"overlay=x={left}:y={top}:format=gbrp", *filters])
        return ["-f", "lavfi", "-i", f"{field}[a];{corner}[b];[a][b]{joined}"]

    def sound(self, channels: int | None = None, seconds: Fraction | None = None) -> list[str]:
        step, length = self.period / self.rate, self.flash / self.rate
        tone = f"0.4*sin(2*PI*1000*t)*lt(mod(t+0.000001\\,{float(step):.9f})\\,{float(length):.9f})"
        count = channels or self.channels
        expressions = "|".join([tone] * count)
        length_ = float(seconds if seconds is not None else self.seconds)
        return [
            *("-f", "lavfi", "-i"),
            f"aevalsrc='{expressions}':c={LAYOUTS[count]}:s={self.sample_rate}:d={length_:.6f}",
        ]


def write(
    path: Path,
    beacon: Beacon = Beacon(),
    *,
    filters: Sequence[str] = ("format=yuv420p",),
    video: Sequence[str] = H264,
    audio: Sequence[str] = AAC,
    extra: Sequence[str] = (),
) -> Path:
    """Picture and sound, in one file."""
    ffmpeg(*beacon.picture(*filters), *beacon.sound(), *video, *audio, *extra, path)
    return path
