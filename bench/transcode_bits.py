"""How many bits the top rung takes at the quality it reaches, against the usual fixed ladder's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bench import transcode_bits_clips as clips
from bench.registry import Result, benchmark
from bench.transcode_bits_clips import Clip
from bench.transcode_bits_measured import (
    PRESET,
    delivered,
    encode,
    ffmpeg,
    folder,
    say,
    top,
)

SECONDS: Final = 8
FIXED: Final = 4_500_000
"""Bits per second of the usual fixed ladder's top rung (4.5, 2.5 and 0.9 Mb/s)."""


@benchmark("transcode.bits_vs_fixed_ladder")
def lecture_against_a_fixed_ladder() -> Iterator[Result]:
    yield against_a_fixed_ladder("transcode.bits_vs_fixed_ladder", clips.slides)


@benchmark("transcode.bits_vs_fixed_ladder.camera")
def camera_against_a_fixed_ladder() -> Iterator[Result]:
    yield against_a_fixed_ladder("transcode.bits_vs_fixed_ladder.camera", clips.camera)


def against_a_fixed_ladder(name: str, make: Callable[..., Clip]) -> Result:
    """Top rung against 4.5 Mb/s with the same preset."""
    fixed = ["-c:v", "libx264", "-preset", PRESET, "-b:v", str(FIXED), "-maxrate", str(FIXED)]
    fixed += ["-bufsize", str(2 * FIXED)]
    with folder() as place:
        clip = make(place, ffmpeg(), seconds=SECONDS)
        ours, theirs = top(delivered(clip, place, "default")), encode(clip, place, fixed)
    say(f"  {clip.name}: VMAF {ours.vmaf:.2f} of ours, {theirs.vmaf:.2f} of the fixed ladder")
    return Result.of(name, ours.kilobits, "kb/s", theirs.kilobits)
