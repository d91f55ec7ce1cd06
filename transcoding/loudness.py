"""How loud a recording is, and the one gain that brings it to the target. EBU R 128.

Estimated from short stretches spread over the file, so that a two-hour recording need not be read
before the first picture; short ones are measured whole.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

from academy.errors import Transient
from academy.recordings import AudioStream, Inspection
from transcoding import process
from transcoding.process import Limits
from transcoding.sound_defects import drop_outs, is_clipped
from transcoding.sources import Source
from transcoding.splicing import near
from transcoding.walls import around_our_own

CHILD: Final = Path(__file__).with_name("libav") / "levels.py"
LIMITS: Final = Limits(wall_seconds=60, cpu_seconds=30, output_bytes=1 << 20, memory_bytes=2 << 30)

STRETCHES: Final = 16
STRETCH_SECONDS: Final = 8.0
GATE_LUFS: Final = -70.0
"""Absolute gate (ITU-R BS.1770-4): what is softer is silence."""
LOUDEST: Final = 10.0
"""LUFS that no sound reaches which its encoder did not garble."""
RELATIVE_GATE: Final = -10.0
CLOSE_ENOUGH: Final = 1.0
"""LU: nobody hears that, so the recording is left alone."""
MOST_DB: Final = 20.0
AUDIBLE: Final = 0.01
INAUDIBLE: Final = 0.001
"""Peaks of a side: -40 and -60 dB below full scale."""


def gain_towards(measured: float | None, target: float) -> float:
    """Decibels, rounded to 0.1. None (silence) and what is already right stay as they are."""
    if measured is None or abs(target - measured) <= CLOSE_ENOUGH:
        return 0.0
    return round(max(-MOST_DB, min(MOST_DB, target - measured)), 1)


def integrated(momentary: Sequence[float]) -> float | None:
    """LUFS of 400 ms blocks with the two gates of BS.1770-4; None when all is silence."""
    loud = [value for value in momentary if GATE_LUFS < value < LOUDEST]
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


@dataclass(frozen=True, slots=True)
class Sound:
    """`loudness` in LUFS, None for silence; `peaks` of each side, 1.0 being full scale, where there are two."""

    loudness: float | None
    peaks: tuple[float, float] | None = None
    clipped: bool = False
    drop_outs: tuple[float, ...] = ()
    """Seconds after the container's start, rising."""

    @property
    def only_side(self) -> Literal["left", "right"] | None:
        """The one that can be heard, where the other cannot."""
        if self.peaks is None or max(self.peaks) < AUDIBLE or min(self.peaks) > INAUDIBLE:
            return None
        return "left" if self.peaks[0] > self.peaks[1] else "right"


def measure(
    source: Source,
    audio: AudioStream,
    inspection: Inspection,
    *,
    channels: int,
    cancelled: Callable[[], bool] | None = None,
) -> Sound | None:
    """The recording as it will sound in `channels`; None where it could not be looked at.

    A place that cannot be read counts for nothing; nor does the whole, where it crashes the process that
    looks: the encoder will tell. Raises Cancelled, Transient where the storage failed.
    """
    told = bytearray()
    words = [
        *(source.url, json.dumps(source.options), str(audio.index)),
        *("mono" if channels == 1 else "stereo", json.dumps(_places(source, inspection))),
    ]
    ending = process.run(
        [sys.executable, "-I", str(CHILD), *words],
        walls=around_our_own(CHILD, words),
        limits=LIMITS,
        receive={1: told.extend},
        cancelled=cancelled,
    )
    if trouble := source.trouble():
        raise Transient(f"The recording could not be read from storage: {trouble}")
    if ending.status != 0 or ending.limit is not None:
        return None
    return heard(json.loads(told), [start for start, _ in stretches(inspection.duration)])


def _places(source: Source, inspection: Inspection) -> list[tuple[float, float | None, str | None]]:
    """Start, length, and where to read it: None is the source itself, where libav can seek."""
    places = stretches(inspection.duration)
    if near(source, inspection, Fraction(0), picture=False) is source:
        return [(start, length, None) for start, length in places]
    found: list[tuple[float, float | None, str | None]] = []
    for start, length in places:
        from_here = near(source, inspection, Fraction(start), picture=False)
        found.append((start, length, None if from_here is source else from_here.url))
    return found


def heard(places: Sequence[Mapping[str, Sequence[float]]], starts: Sequence[float]) -> Sound | None:
    """From what `libav/levels.py` tells of each place; `starts`: seconds at which they begin."""
    momentary = [value for place in places for value in place["momentary"]]
    if not momentary:
        return None
    sides = [place["peaks"] for place in places if len(place["peaks"]) == 2]
    peaks = (max(side[0] for side in sides), max(side[1] for side in sides)) if sides else None
    return Sound(
        integrated(momentary),
        peaks,
        clipped=is_clipped(places),
        drop_outs=tuple(drop_outs(places, starts)),
    )
