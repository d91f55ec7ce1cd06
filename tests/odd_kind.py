"""A kind of odd recording: how it is made, and what must become of it. The table is `ODD`.

All show a beacon (`tests/beacons.py`), so that outcomes can be measured: frames, shape, colours, and
whether flashes and beeps coincide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from tests.beacons import Beacon

NORMAL = Beacon()
Times = Callable[[Beacon], list[float]]


def from_start_to_end(beacon: Beacon) -> list[float]:
    return beacon.times


def a_second_late(beacon: Beacon) -> list[float]:
    """Until it begins its first picture is shown, which is lit."""
    return [0.0, *(1 + time for time in replace(beacon, seconds=beacon.seconds - 1).times if time)]


def a_second_more(beacon: Beacon) -> list[float]:
    return replace(beacon, seconds=beacon.seconds + 1).times


def half_of_it(beacon: Beacon) -> list[float]:
    return replace(beacon, seconds=beacon.seconds / 2).times


@dataclass(frozen=True)
class Odd:
    """`make(path, beacon)` writes it. What is expected holds for a beacon of two seconds at 320x180."""

    name: str
    suffix: str
    make: Callable[[Path, Beacon], object]
    beacon: Beacon = NORMAL
    frames: int | None = 60
    """None: no picture."""
    size: tuple[int, int] = (320, 180)
    channels: int | None = 2
    """None: no sound."""
    codes: frozenset[str] = frozenset()
    """Findings besides `low_resolution`."""
    red_above: bool | None = True
    """Whether the right half is red above blue; None: not to be told from the picture."""
    together: bool = True
    """Whether flashes and beeps coincide from start to end."""
    seen: Times = from_start_to_end
    """When flashes begin."""
    heard: Times = from_start_to_end
    """When beeps begin."""
    steady: bool = True
    """Whether no flash and no beep may be missing: what is damaged may lose some between first and last."""
    refused: str | None = None
    """The code of the refusal."""


ODD: dict[str, Odd] = {}


def odd(name: str, suffix: str = ".mp4", **expected: object) -> Callable[..., object]:
    def register(make: Callable[[Path, Beacon], object]) -> object:
        ODD[name] = Odd(name, suffix, make, **expected)  # type: ignore[arg-type]
        return make

    return register


FIXED = frozenset({"one frame", "a frame every ten seconds", "half a second"})
"""Whose length says what they are."""


def full_size(odd: Odd, seconds: int = 5) -> Odd:
    """As a camera or a screen recorder would make it: 1080 lines, more chunks and seams."""
    beacon = replace(odd.beacon, size=(odd.beacon.size[0] * 6, odd.beacon.size[1] * 6))
    # What encoders cannot take of it is the same pixel or two.
    lost = 2 if odd.name == "odd_size" else 0
    size = (odd.size[0] * 6, (odd.size[1] + lost) * 6 - lost)
    if odd.name in FIXED:
        return replace(odd, beacon=beacon, size=size)
    more = seconds - odd.beacon.seconds
    frames = odd.frames
    if frames is not None:
        frames += round(more * (60 if odd.name == "1000 fps" else _shown(odd)))
    beacon = replace(beacon, seconds=odd.beacon.seconds + more)
    return replace(odd, beacon=beacon, size=size, frames=frames)


def _shown(odd: Odd) -> Fraction:
    """Frames per second of what comes out."""
    if odd.name == "one frame beside sound":
        return Fraction(25)
    return odd.beacon.rate / 2 if odd.name == "interlaced" else odd.beacon.rate
