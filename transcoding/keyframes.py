"""Where to begin reading a container in which a seek leads to any picture, not to a keyframe.

MPEG transport and program streams have no index: reading from a chunk's start on gives the first picture only
with the next keyframe, up to ten seconds later, and what is missing before it would be filled with that one,
with every frame counted. So it is tried how far before the chunk reading must begin: one picture is
decoded, in some 0.1 s of CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import ffmpeg as graph

from academy.recordings import Inspection, VideoStream
from transcoding import ffmpeg
from transcoding.sources import Source

WITHOUT: Final = frozenset({"mpegts", "mpeg"})
"""Containers without an index of their keyframes."""
BACK: Final = (2, 10, 40, 160)
"""Seconds before the chunk that are tried, one after the other; then everything is read from the start."""
LIMITS: Final = ffmpeg.Limits(120, cpu_seconds=60, output_bytes=1 << 20, memory_bytes=2 << 30)
TIME_BASE: Final = "#tb 0:"


def led(
    program: str,
    source: Source,
    inspection: Inspection,
    start: Fraction,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Source:
    """The same source, read from so much earlier that the picture shown at `start` (seconds) is decoded."""
    video = inspection.video
    if inspection.container not in WITHOUT or video is None or start <= 0:
        return source
    half_a_frame = 1 / video.frame_rate.fraction / 2
    for back in BACK:
        if back >= start:
            break
        earlier = replace(source, lead=Fraction(back))
        found = first_picture(program, earlier, video, start, cancelled=cancelled)
        if found is not None and found <= start + half_a_frame:
            return earlier
    return replace(source, lead=start)


def first_picture(
    program: str,
    source: Source,
    video: VideoStream,
    begin: Fraction,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Fraction | None:
    """When the first picture is shown, in seconds after the recording's start, where `begin` is sought."""
    text = bytearray()
    ffmpeg.run(
        picture_command(program, source, video, begin),
        limits=LIMITS,
        cancelled=cancelled,
        on_stdout=text.extend,
    )
    return shown(text.decode("ascii", "replace"))


def picture_command(program: str, source: Source, video: VideoStream, begin: Fraction) -> list[str]:
    options: dict[str, Any] = {
        **source.options,
        "threads": 1,
        "max_error_rate": 1,
        **source.reading_from(begin),
    }
    stream = graph.input(source.url, **options)[str(video.index)]
    one: dict[str, Any] = {"frames:v": 1, "fps_mode": "passthrough", "c:v": "rawvideo"}
    return [program, *graph.output(stream, "pipe:1", format="framecrc", **one).get_args()]


def shown(listing: str) -> Fraction | None:
    """From framecrc's lines: the first time, in the time base that stands above; None without a picture."""
    base: Fraction | None = None
    for line in listing.splitlines():
        if line.startswith(TIME_BASE):
            base = Fraction(line.removeprefix(TIME_BASE).strip())
        elif line and line[0] != "#" and base is not None:
            return int(line.split(",")[2]) * base
    return None
