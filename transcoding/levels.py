"""Levels: what a decoder must be able to do, signalled so that players can refuse in time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """ITU-T H.264 Table A-1: macroblocks per second and per frame, bits per second (x 1000, Main)."""

    name: str
    rate: int
    frame: int
    kilobits: int


H264: Final = (
    LevelLimits("1.3", 11_880, 396, 768),
    LevelLimits("2.0", 11_880, 396, 2_000),
    LevelLimits("2.1", 19_800, 792, 4_000),
    LevelLimits("3.0", 40_500, 1_620, 10_000),
    LevelLimits("3.1", 108_000, 3_600, 14_000),
    LevelLimits("3.2", 216_000, 5_120, 20_000),
    LevelLimits("4.0", 245_760, 8_192, 20_000),
    LevelLimits("4.1", 245_760, 8_192, 50_000),
    LevelLimits("4.2", 522_240, 8_704, 50_000),
    LevelLimits("5.0", 589_824, 22_080, 135_000),
    LevelLimits("5.1", 983_040, 36_864, 240_000),
    LevelLimits("5.2", 2_073_600, 36_864, 240_000),
)
AV1: Final = (
    ("2.0", 147_456, 5_529_600),
    ("2.1", 278_784, 10_454_400),
    ("3.0", 665_856, 24_969_600),
    ("3.1", 1_065_024, 39_938_400),
    ("4.0", 2_359_296, 77_856_768),
    ("4.1", 2_359_296, 155_713_536),
    ("5.0", 8_912_896, 273_715_200),
    ("5.1", 8_912_896, 547_430_400),
    ("5.2", 8_912_896, 1_094_860_800),
)
"""AV1 specification, A.3: pixels per frame and decoded per second. What the encoder then writes counts;
this is only what is said before it has written anything."""


def level(width: int, height: int, rate: Fraction, bits: int, *, least: str) -> str:
    """The lowest H.264 level, from `least` up, that allows this (High profile: 1.25 times the bits)."""
    across, down = -(-width // 16), -(-height // 16)
    names = [limits.name for limits in H264]
    for limits in H264[names.index(least) :]:
        if (
            across * down <= limits.frame
            and max(across, down) ** 2 <= 8 * limits.frame
            and across * down * rate <= limits.rate
            and bits <= limits.kilobits * 1250
        ):
            return limits.name
    return names[-1]


def av1_level(width: int, height: int, rate: Fraction) -> str:
    """The lowest AV1 level that allows this."""
    for name, frame, pixels in AV1:
        if width * height <= frame and width * height * rate <= pixels:
            return name
    return AV1[-1][0]
