"""Text subtitles that a recording brings along, as WebVTT on the lecture's own clock.

MP4 names every subtitle in its index; other containers are read through once, which is why this comes
after everything that a viewer waits for. They are a stranger's words: what players get is normalised as an
uploaded caption file is (escaped, in order, without overlaps).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

import ffmpeg as graph

from academy.caption_files import MOST_BYTES, read_captions
from academy.captions import normalised, webvtt
from academy.endonyms import endonym
from academy.errors import Invalid
from academy.recordings import SubtitleStream
from transcoding import ffmpeg, tongues
from transcoding.sources import Source

MOST_TRACKS: Final = 8
LIMITS: Final = ffmpeg.Limits(wall_seconds=1800, output_bytes=MOST_BYTES, memory_bytes=2 << 30)
LONGEST_LABEL: Final = 80


@dataclass(frozen=True, slots=True)
class Extracted:
    language: str
    label: str
    kind: Literal["subtitles", "captions"]
    webvtt: bytes


def extract(
    program: str,
    source: Source,
    streams: Sequence[SubtitleStream],
    *,
    language: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Extracted]:
    """One track per language and kind, the first of each, without those that hold no cue.

    `language` is assumed where the file names none. What cannot be read is left out: subtitles are an
    extra. Raises Cancelled.
    """
    wanted = list(_chosen(streams, language))
    if not wanted:
        return []
    with tempfile.TemporaryDirectory(prefix="subtitles-") as folder:
        files = [Path(folder) / f"{number}.vtt" for number in range(len(wanted))]
        indexes = [stream.index for stream, _, _ in wanted]
        try:
            ffmpeg.run(command(program, source, indexes, files), limits=LIMITS, cancelled=cancelled)
        except ffmpeg.EncodingFailed:
            if len(wanted) == 1:
                return []
            # One bad track must not cost the others.
            return [
                found
                for stream, _, _ in wanted
                for found in extract(
                    program, source, [stream], language=language, cancelled=cancelled
                )
            ]
        texts = [_normalised(file.read_bytes()) if file.exists() else b"" for file in files]
    return [
        Extracted(tongue, _label(stream, tongue), kind, text)
        for (stream, tongue, kind), text in zip(wanted, texts, strict=True)
        if text
    ]


def _normalised(written: bytes) -> bytes:
    """Of what ffmpeg wrote: `<`, `&` and `-->` in a cue's words it leaves as they are. Empty without cues."""
    try:
        cues, _ = normalised(read_captions(written))
    except Invalid:
        return b""
    return webvtt(cues).encode() if cues else b""


def command(
    program: str, source: Source, indexes: Sequence[int], files: Sequence[Path]
) -> list[str]:
    """Every subtitle stream to a WebVTT file of its own. Times count from the container's start."""
    options: dict[str, Any] = {**source.options, **source.reading_from(Fraction(0))}
    opened = graph.input(source.url, **options)
    outputs = [
        graph.output(
            opened[str(index)],
            str(file),
            format="webvtt",
            map_metadata=-1,
            fflags="+bitexact",
            **{"c:s": "webvtt"},
        )
        for index, file in zip(indexes, files, strict=True)
    ]
    return [program, "-y", *graph.merge_outputs(*outputs).get_args()]


def _chosen(
    streams: Sequence[SubtitleStream], language: str | None
) -> Iterator[tuple[SubtitleStream, str, Literal["subtitles", "captions"]]]:
    seen: set[tuple[str, str]] = set()
    for stream in streams:
        tongue = tongues.tag(stream.language) or tongues.tag(language) or "und"
        kind: Literal["subtitles", "captions"] = (
            "captions" if stream.hearing_impaired else "subtitles"
        )
        # Forced ones only translate what the picture shows in another language.
        if stream.forced or (tongue, kind) in seen or len(seen) >= MOST_TRACKS:
            continue
        seen.add((tongue, kind))
        yield stream, tongue, kind


def _label(stream: SubtitleStream, tongue: str) -> str:
    told = " ".join((stream.title or "").split())
    printable = "".join(character for character in told if character.isprintable())
    return printable[:LONGEST_LABEL] or endonym(tongue)
