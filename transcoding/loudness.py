"""How loud a recording is, and the one gain that brings it to the target. EBU R 128.

Estimated from short stretches spread over the file, so that a two-hour recording need not be read
before the first picture; short ones are measured whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import ffmpeg as graph

from academy.recordings import AudioStream
from transcoding import ffmpeg
from transcoding.sources import Source

STRETCHES: Final = 16
STRETCH_SECONDS: Final = 8.0
AT_ONCE: Final = 4
GATE_LUFS: Final = -70.0
"""Absolute gate (ITU-R BS.1770-4): what is softer is silence."""
RELATIVE_GATE: Final = -10.0
CLOSE_ENOUGH: Final = 1.0
"""LU: nobody hears that, so the recording is left alone."""
MOST_DB: Final = 20.0
MOMENTARY: Final = re.compile(rb"lavfi\.r128\.M=(-?\d+(?:\.\d+)?)")


def gain_towards(measured: float | None, target: float) -> float:
    """Decibels, rounded to 0.1. None (silence) and what is already right stay as they are."""
    if measured is None or abs(target - measured) <= CLOSE_ENOUGH:
        return 0.0
    return round(max(-MOST_DB, min(MOST_DB, target - measured)), 1)


def integrated(momentary: Sequence[float]) -> float | None:
    """LUFS of 400 ms blocks with the two gates of BS.1770-4; None when all is silence."""
    loud = [value for value in momentary if value > GATE_LUFS]
    if not loud:
        return None
    gate = _mean(loud) + RELATIVE_GATE
    return _mean([value for value in loud if value > gate])


def _mean(values: Sequence[float]) -> float:
    """Of energies, not of decibels."""
    return 10 * math.log10(sum(10 ** (value / 10) for value in values) / len(values))


def stretches(duration: float) -> list[tuple[float, float | None]]:
    """(start, length) in seconds: spread evenly, or the whole file where that is no more."""
    if duration <= STRETCHES * STRETCH_SECONDS:
        return [(0.0, None)]
    step = duration / STRETCHES
    return [
        (step * number + (step - STRETCH_SECONDS) / 2, STRETCH_SECONDS)
        for number in range(STRETCHES)
    ]


def measure(
    program: str,
    source: Source,
    audio: AudioStream,
    duration: float,
    *,
    channels: int,
    cancelled: Callable[[], bool] | None = None,
) -> float | None:
    """LUFS of the recording as it will sound in `channels`, or None for silence.

    Raises EncodingFailed, Cancelled. A stretch that cannot be read counts for nothing.
    """

    def one(stretch: tuple[float, float | None]) -> list[float]:
        return _momentary(program, source, audio, stretch, channels, cancelled)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="loudness") as pool:
        values = [value for part in pool.map(one, stretches(duration)) for value in part]
    return integrated(values)


def _momentary(
    program: str,
    source: Source,
    audio: AudioStream,
    stretch: tuple[float, float | None],
    channels: int,
    cancelled: Callable[[], bool] | None,
) -> list[float]:
    start, length = stretch
    text = bytearray()
    try:
        ffmpeg.run(
            loudness_command(program, source, audio, start, length, channels),
            limits=ffmpeg.Limits(wall_seconds=300),
            cancelled=cancelled,
            on_stdout=text.extend,
        )
    except ffmpeg.EncodingFailed:
        if length is None:
            raise
    return [float(value) for value in MOMENTARY.findall(bytes(text))]


def loudness_command(
    program: str,
    source: Source,
    audio: AudioStream,
    start: float,
    length: float | None,
    channels: int,
) -> list[str]:
    """Writes momentary loudness (400 ms blocks every 100 ms) as metadata lines to standard output."""
    options: dict[str, Any] = {**source.options, "threads": 1}
    if start > 0:
        options["ss"] = f"{start:.3f}"
    if length is not None:
        options["t"] = f"{length:.3f}"
    layout = "mono" if channels == 1 else "stereo"
    stream = graph.input(source.url, **options)[str(audio.index)]
    stream = stream.filter("aresample", 48_000).filter("aformat", channel_layouts=layout)
    stream = stream.filter("ebur128", metadata=1)
    stream = stream.filter("ametadata", mode="print", key="lavfi.r128.M", file="pipe:1")
    arguments = graph.output(stream, "-", format="null").get_args()
    return [program, "-filter_complex_threads", "1", *arguments]
