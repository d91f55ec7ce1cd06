"""How loud a recording is, and the one gain that brings it to the target. EBU R 128.

Estimated from short stretches spread over the file, so that a two-hour recording need not be read
before the first picture; short ones are measured whole.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from academy.errors import Transient
from academy.recordings import AudioStream
from transcoding import process
from transcoding.process import Limits
from transcoding.sources import Source

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


def measure(
    source: Source,
    audio: AudioStream,
    duration: float,
    *,
    channels: int,
    cancelled: Callable[[], bool] | None = None,
) -> float | None:
    """LUFS of the recording as it will sound in `channels`, or None for silence.

    A place that cannot be read counts for nothing; nor does the whole, where it crashes the process that
    looks: the encoder will tell. Raises Cancelled, Transient where the storage failed.
    """
    told = bytearray()
    ending = process.run(
        [
            *(sys.executable, "-I", str(CHILD), source.url, json.dumps(source.options)),
            *(str(audio.index), "mono" if channels == 1 else "stereo"),
            json.dumps(stretches(duration)),
        ],
        limits=LIMITS,
        receive={1: told.extend},
        cancelled=cancelled,
    )
    if trouble := source.trouble():
        raise Transient(f"The recording could not be read from storage: {trouble}")
    if ending.status != 0 or ending.limit is not None:
        return None
    return integrated([value for place in json.loads(told) for value in place])
