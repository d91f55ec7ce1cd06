"""When a lecture's clock begins, on the clock of its recording's container. Pure.

Mostly with the recording. But a recording whose sound begins with the encoder's priming, or a little before the
picture, has its pictures between those of the grid: each would be shown up to half a frame early or late, and the
sound not. So the clock begins by that much later or earlier, for both.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from academy.recordings import Inspection
from transcoding.sources import Source

JOINT: Final = frozenset({"mpegts", "mpeg", "ogg"})
"""Containers whose clock may jump (libav's `AVFMT_TS_DISCONT`). With `-start_at_zero` ffmpeg moves what it
reads of them to the start of the streams it was asked for: picture and sound, read apart, would each begin at
zero, however late one of them is."""

LEAST: Final = Fraction(1, 1000)
"""Seconds that do not matter: what containers that count milliseconds round."""
MOST_CUT: Final = Fraction(1, 40)
"""Seconds of the sound's beginning that may be left out for it: priming, a frame of AAC."""


def on_clock(source: Source, inspection: Inspection) -> Source:
    """The same source, its picture and its sound counted from the clock's beginning."""
    if inspection.container in JOINT or shift(inspection):
        return replace(source, zero=beginning(inspection))
    return source


def beginning(inspection: Inspection) -> float:
    """Seconds of the container's clock."""
    return inspection.start + float(shift(inspection))


def shift(inspection: Inspection) -> Fraction:
    """Seconds from the recording's start; none where pictures come at any time."""
    video = inspection.video
    if video is None or video.variable_frame_rate:
        return Fraction(0)
    first, rate = Fraction(video.start), video.frame_rate.fraction
    late = first - round(first * rate) / rate
    if late > MOST_CUT:
        late -= 1 / rate
    return late if abs(late) > LEAST else Fraction(0)
