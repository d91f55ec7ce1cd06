"""Where the sound's frames lie, for containers whose clock is coarser than a sample.

Matroska counts milliseconds: what is read after a seek is off by up to one, and a stretch that begins
there would click where it joins its neighbour. Codec frames all have one length, so the time of each is
known to the sample once the first few are.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import ffmpeg as graph
from pydantic import BaseModel, ConfigDict, Field

from academy.recordings import AudioStream, Inspection
from transcoding import ffmpeg
from transcoding.sources import Source

COARSE: Final = frozenset({"matroska", "flv", "asf", "mpegts", "mpeg"})
"""Containers whose times are whole milliseconds, or 1/90000 s."""
CONSTANT: Final = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac", "wmav2"})
"""Codecs that keep one frame length; Vorbis does not."""
FRAMES: Final = 16
SETTLED: Final = 6
"""The first frames may be cut: the encoder's delay."""


class Anchor(BaseModel):
    """Frames begin at `phase` + n * `length`, in samples of the source's own rate."""

    model_config = ConfigDict(frozen=True)

    length: int = Field(gt=0)
    phase: int

    @property
    def expression(self) -> str:
        """For `asetpts`: the frame's time, moved so that it ends where a frame ends. Ends, because the
        first frame after a seek may have lost its beginning.
        """
        end = f"PTS+NB_SAMPLES-{self.phase}"
        return f"{self.phase}+{self.length}*round(({end})/{self.length})-NB_SAMPLES"


def needed(inspection: Inspection) -> bool:
    return inspection.audio is not None and inspection.container in COARSE


LIMITS: Final = ffmpeg.Limits(120, cpu_seconds=30, output_bytes=1 << 20, memory_bytes=2 << 30)
"""A fraction of a second is decoded, into a pipe."""


def measure(
    program: str,
    source: Source,
    audio: AudioStream,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Anchor | None:
    """None where frames differ in length (Vorbis). Decodes a fraction of a second."""
    if audio.codec not in CONSTANT:
        return None
    text = bytearray()
    ffmpeg.run(
        anchor_command(program, source, audio),
        limits=LIMITS,
        cancelled=cancelled,
        on_stdout=text.extend,
    )
    return anchored(text.decode("ascii", "replace"))


def anchored(listing: str) -> Anchor | None:
    """From framecrc's lines: stream, dts, pts, duration, size, checksum."""
    rows = [line.split(",") for line in listing.splitlines() if line and line[0] != "#"]
    lengths = [int(row[3]) for row in rows]
    if len(lengths) < SETTLED + 3 or len(set(lengths[SETTLED:])) > 1:
        return None
    # Counted on from the first frame: the times of the next ones are already rounded.
    end = int(rows[0][2]) + sum(lengths)
    return Anchor(length=lengths[-1], phase=end % lengths[-1])


def anchor_command(program: str, source: Source, audio: AudioStream) -> list[str]:
    options: dict[str, Any] = {**source.options, **source.reading_from(Fraction(0))}
    stream = graph.input(source.url, **options)[str(audio.index)]
    frames: dict[str, Any] = {"frames:a": FRAMES, "c:a": "pcm_s16le"}
    return [program, *graph.output(stream, "pipe:1", format="framecrc", **frames).get_args()]
