"""AV1 against our own H.264: bits at the VMAF that the AV1 rung has, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bench import transcode_bits_clips as clips
from bench.registry import Result, benchmark
from bench.transcode_bits_clips import Clip
from bench.transcode_bits_measured import (
    at_quality,
    delivered,
    encode,
    ffmpeg,
    folder,
    say,
    svtav1,
    top,
    x264,
)
from transcoding import profiles
from transcoding.profiles import Rung

SECONDS: Final = 4
NAME: Final = "transcode.av1_vs_h264"


@benchmark(NAME)
def lecture() -> Iterator[Result]:
    yield av1_against_h264(NAME, clips.slides, drawn=True)


@benchmark(f"{NAME}.camera")
def camera() -> Iterator[Result]:
    yield av1_against_h264(f"{NAME}.camera", clips.camera, drawn=False)


def av1_against_h264(name: str, make: Callable[..., Clip], *, drawn: bool) -> Result:
    with folder() as place:
        clip = make(place, ffmpeg(), seconds=SECONDS)
        ours = top(delivered(clip, place, "av1"), av1=True)
        av1, h264 = settings("av1", drawn=drawn), settings("h264", drawn=drawn)
        crf, preset, parameters = av1
        cost = encode(clip, place, svtav1(crf, int(preset), parameters)).cpu
        near, _, same = h264
        equal = at_quality(ours.vmaf, lambda crf: encode(clip, place, x264(crf, same)), near=near)
    say(
        f"  {clip.name}: VMAF {ours.vmaf:.2f}; CPU of AV1 {cost:.1f} s,"
        f" of H.264 {equal.cpu:.1f} s: {cost / equal.cpu:.2f}"
    )
    return Result.of(name, ours.kilobits, "kb/s", equal.kilobits)


def settings(codec: str, *, drawn: bool) -> tuple[int, str, str]:
    """(crf, preset, parameters) of the profile's largest rung of a codec."""
    rung: Rung = next(rung for rung in profiles.load("av1").video if rung.codec == codec)
    crf, parameters = rung.crf, rung.parameters
    if drawn:
        crf = crf if rung.drawn.crf is None else rung.drawn.crf
        parameters = parameters if rung.drawn.parameters is None else rung.drawn.parameters
    return crf, str(rung.preset_for(drawn=drawn)), parameters
