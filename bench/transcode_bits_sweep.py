"""Our bits against the cheapest setting that a sweep over crf, resolution and adaptive quantisation finds.

Every crf from 12 to 40 at 1080, 720 and 540 lines, at the VMAF that our top rung has: quality falls as crf
rises, so that a search along each curve finds what trying every step would. A minute or three per clip on
two cores. `ACADEMY_BENCH_SEED` repeats a run's random clip.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from bench import transcode_bits_clips as clips
from bench.registry import Result, benchmark
from bench.transcode_bits_clips import Clip
from bench.transcode_bits_measured import (
    SHARPEST,
    Encoded,
    at_quality,
    delivered,
    encode,
    ffmpeg,
    folder,
    say,
    top,
    x264,
)

SECONDS: Final = 4
HEIGHTS: Final = (1080, 720, 540)
WEAKER: Final = ("aq-strength=0.4", "aq-strength=0.7")
CURVES: Final = [*((height, "") for height in HEIGHTS), *((1080, each) for each in WEAKER)]
NAME: Final = "transcode.bits_vs_best_sweep"


@benchmark(f"{NAME}.slides")
def slides() -> Iterator[Result]:
    with folder() as place:
        yield against_the_best(f"{NAME}.slides", clips.slides(place, ffmpeg(), seconds=SECONDS))


@benchmark(f"{NAME}.code")
def code() -> Iterator[Result]:
    with folder() as place:
        yield against_the_best(f"{NAME}.code", clips.code(place, ffmpeg(), seconds=SECONDS))


@benchmark(f"{NAME}.camera")
def camera() -> Iterator[Result]:
    with folder() as place:
        yield against_the_best(f"{NAME}.camera", clips.camera(place, ffmpeg(), seconds=SECONDS))


@benchmark(f"{NAME}.seed")
def drawn_by_a_seed() -> Iterator[Result]:
    seed = int(os.environ.get("ACADEMY_BENCH_SEED") or time.time())
    say(f"  ACADEMY_BENCH_SEED={seed}")
    with folder() as place:
        yield against_the_best(
            f"{NAME}.seed", clips.by_seed(place, ffmpeg(), seed, seconds=SECONDS)
        )


def against_the_best(name: str, clip: Clip) -> Result:
    place = clip.path.parent
    rungs = delivered(clip, place, "default")
    ours = top(rungs)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        best = list(pool.map(partial(swept, clip, place, ours.vmaf), CURVES))
    told = ", ".join(
        f"{height}{' ' + extra if extra else ''}: {found.kilobits:.0f}"
        for (height, extra), found in zip(CURVES, best, strict=True)
    )
    say(f"  {clip.name}: VMAF {ours.vmaf:.2f} of {', '.join(rungs)}; kb/s by lines: {told}")
    return Result.of(name, ours.kilobits, "kb/s", min(found.kilobits for found in best))


def swept(clip: Clip, place: Path, quality: float, curve: tuple[int, str]) -> Encoded:
    """What this VMAF takes at one height with these parameters."""
    height, parameters = curve
    # Fewer lines hardly ever reach it: the sharpest says so at once. Else ours is not far.
    near = 25 if height == max(HEIGHTS) else SHARPEST["x264"]
    return at_quality(
        quality, lambda crf: encode(clip, place, x264(crf, parameters), height), near=near
    )
