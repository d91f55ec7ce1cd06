"""From the plan to ffmpeg's arguments for one stretch of the audio. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any, Final

import ffmpeg

from academy.media import AUDIO_RATE, UNIT_SAMPLES, AudioRendition, Grid
from academy.recordings import AudioStream
from transcoding.anchor import Anchor
from transcoding.commands import seconds
from transcoding.sources import Source

PREROLL_UNITS: Final = 48
"""Units encoded and thrown away before a stretch (1 s): by then encoder and limiter are in the state
they would have had in one single run, so that stretches join without a trace."""
POSTROLL_UNITS: Final = 4
"""Real sound after a stretch, for the encoder's look ahead."""
DECODER_WARM_UP: Final = Fraction(1)
"""Seconds read before the first sample that counts: Opus wants 80 ms, MP3's reservoir some frames."""
CEILING_DB: Final = -1.5
"""True peak, where the gain is positive. AAC adds a little on top."""
MOST_APART: Final = "0.0205"
"""Seconds by which sound may be early or late before silence is put in or sound left out: less than a lost
frame of AAC, more than the times of recorders tremble, a frame of Opus included."""
OVERSAMPLED: Final = 4
"""A limiter sees the peaks between samples only at so many times the rate (ITU-R BS.1770 annex 2)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio segments [first, first + segments) of the grid as access units.

    Access unit n covers samples [(n - 1) * 1024, (n + 1) * 1024) of the timeline.
    """

    grid: Grid
    first: int
    segments: int

    @property
    def first_unit(self) -> int:
        return self.grid.first_unit(self.first)

    @property
    def units(self) -> int:
        return self.grid.first_unit(self.first + self.segments) - self.first_unit

    @property
    def preroll(self) -> int:
        """Units to throw away at the start of what the encoder gives."""
        return min(PREROLL_UNITS, self.first_unit)

    @property
    def first_sample(self) -> int:
        """Where encoding starts. The encoder's unit n then is ours, `preroll` units before the first."""
        return (self.first_unit - self.preroll) * UNIT_SAMPLES

    @property
    def samples(self) -> int:
        """How many to encode: the last unit wants 1024 samples after its start, then some."""
        return (self.preroll + self.units + POSTROLL_UNITS - 1) * UNIT_SAMPLES


def audio_command(
    program: str,
    source: Source,
    audio: AudioStream,
    stretch: Stretch,
    rendition: AudioRendition,
    *,
    anchor: Anchor | None = None,
    pad_samples: int = 0,
) -> list[str]:
    """One stretch to ADTS on standard output. `pad_samples`: silence that may be added at the end."""
    options: dict[str, Any] = {
        **source.options,
        "threads": 1,
        "max_error_rate": 1,
    }
    wanted = Fraction(stretch.first_sample, AUDIO_RATE)
    start = aligned(wanted, audio.sample_rate)
    options |= source.reading_from(max(Fraction(0), start - DECODER_WARM_UP))
    stream = ffmpeg.input(source.url, **options)[str(audio.index)]
    if anchor is not None:
        stream = stream.filter("asetpts", anchor.expression)
    if stretch.first_sample:
        stream = stream.filter("atrim", start=seconds(start))
    stream = stream.filter("aresample", AUDIO_RATE)
    # Once more, since it counts first_pts in samples of its input. first_pts: silence where sound comes
    # late, cut where the aligned start was early. async: gaps in the source become silence, so that
    # sound stays with the picture. min_comp: by default a start within 1 ms is good enough for it.
    # min_hard_comp: by default gaps below 0.1 s stay unfilled, the sound early by as much until the next
    # stretch begins where it should.
    stream = stream.filter(
        "aresample",
        AUDIO_RATE,
        **{
            "async": 1,
            "first_pts": stretch.first_sample,
            "min_comp": "0.00001",
            "min_hard_comp": MOST_APART,
        },
    )
    stream = _levelled(stream, rendition, limited_at(audio.sample_rate))
    if pad_samples:
        stream = stream.filter("apad", pad_len=pad_samples)
    stream = stream.filter("atrim", end_sample=stretch.samples)
    return _argv(program, stream, rendition)


def silence_command(program: str, units: int, rendition: AudioRendition) -> list[str]:
    """So many units of silence as ADTS, and the priming unit before them."""
    layout = "mono" if rendition.channels == 1 else "stereo"
    stream = ffmpeg.input(
        f"anullsrc=r={AUDIO_RATE}:cl={layout}", format="lavfi", protocol_whitelist="file"
    )["0"]
    stream = stream.filter("atrim", end_sample=units * UNIT_SAMPLES)
    return _argv(program, stream, rendition)


def aligned(time: Fraction, rate: int) -> Fraction:
    """The nearest time at or before, in seconds, that is a whole sample at `rate` and at 48 kHz.

    Each stretch is resampled from such a place: else neighbours would differ by a part of a sample.
    """
    step = Fraction(1, gcd(rate, AUDIO_RATE))
    return time // step * step


def limited_at(rate: int) -> int:
    """The limiter's own rate, a multiple of ours: four times that of the source, which is where its peaks
    come from. A voice recorded at 24 kHz takes half the time.
    """
    enough = (times * AUDIO_RATE for times in (1, 2) if times * AUDIO_RATE >= OVERSAMPLED * rate)
    return next(enough, OVERSAMPLED * AUDIO_RATE)


def _levelled(stream: Any, rendition: AudioRendition, limited: int) -> Any:
    layout = "mono" if rendition.channels == 1 else "stereo"
    if rendition.gain_db > 0:
        stream = stream.filter("aformat", sample_fmts="flt", channel_layouts=layout)
        stream = stream.filter("volume", f"{rendition.gain_db:.2f}dB", precision="float")
        stream = stream.filter("aresample", limited)
        # level: no automatic make-up gain. latency: the look ahead shifts nothing.
        stream = stream.filter(
            "alimiter", limit=f"{10 ** (CEILING_DB / 20):.4f}", level="false", latency="true"
        )
        stream = stream.filter("aresample", AUDIO_RATE)
    elif rendition.gain_db < 0:
        stream = stream.filter("volume", f"{rendition.gain_db:.2f}dB", precision="float")
    return stream.filter("aformat", sample_fmts="fltp", channel_layouts=layout)


def _argv(program: str, stream: Any, rendition: AudioRendition) -> list[str]:
    options: dict[str, Any] = {
        "c:a": "aac",
        "b:a": rendition.bit_rate,
        "ac": rendition.channels,
        "ar": AUDIO_RATE,
        "threads": 1,
        "map_metadata": -1,
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
    }
    arguments: Sequence[str] = ffmpeg.output(stream, "pipe:1", format="adts", **options).get_args()
    return [program, "-filter_complex_threads", "1", *arguments]
