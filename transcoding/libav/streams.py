"""Which streams of a container matter, and what it says about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

Facts = dict[str, Any]


def pictures(container: InputContainer) -> Iterator[VideoStream]:
    """Video proper: no cover art, no thumbnails of chapters."""
    for stream in container.streams.video:
        if not marked(stream, Disposition.attached_pic | Disposition.timed_thumbnails):
            yield stream


def marked(stream: Any, marks: Disposition) -> bool:
    return bool(int(stream.disposition) & int(marks))


def count(container: InputContainer, kind: str) -> int:
    if kind == "video":
        return len(list(pictures(container)))
    return sum(1 for stream in container.streams if stream.type == kind)


def best_video(container: InputContainer) -> VideoStream | None:
    """The largest picture; among equals the one marked as default, then the first."""
    known = [each for each in pictures(container) if each.codec_context is not None]
    if not known:
        return None
    return max(
        known,
        key=lambda each: (
            each.codec_context.width * each.codec_context.height,
            marked(each, Disposition.default),
            -each.index,
        ),
    )


def best_audio(container: InputContainer) -> Any:
    """The default; then most channels; never a commentary or a description where there is another."""
    known = [
        each
        for each in container.streams.audio
        if each.codec_context is not None
        and each.codec_context.sample_rate > 0
        and each.codec_context.channels > 0
    ]
    if not known:
        return None
    return max(
        known,
        key=lambda each: (
            not marked(each, Disposition.visual_impaired | Disposition.comment),
            marked(each, Disposition.default),
            each.codec_context.channels,
            -each.index,
        ),
    )


def seconds(stream: Any, value: int | None) -> float | None:
    return None if value is None else float(value * stream.time_base)


def about_audio(stream: Any) -> Facts:
    context = stream.codec_context
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "channels": context.channels,
        "sample_rate": context.sample_rate,
        "language": stream.language,
        "start": seconds(stream, stream.start_time),
        "encrypted": "enc" in (context.codec_tag or ""),
    }


def about_video(stream: VideoStream) -> Facts:
    context = stream.codec_context
    shape = stream.sample_aspect_ratio or context.sample_aspect_ratio
    form = context.format
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "tag": context.codec_tag or "",
        "coded_width": context.width,
        "coded_height": context.height,
        "shape": [shape.numerator, shape.denominator] if shape else [1, 1],
        "pixel_format": form.name if form else "",
        "bit_depth": max((part.bits for part in form.components), default=8) if form else 8,
        "primaries": context.color_primaries,
        "transfer": context.color_trc,
        "matrix": context.colorspace,
        "field_order": context.field_order,
        "start": seconds(stream, stream.start_time),
        "tick": [stream.time_base.numerator, stream.time_base.denominator]
        if stream.time_base
        else [1, 1000],
        "rates": [
            [rate.numerator, rate.denominator]
            for rate in (stream.average_rate, stream.base_rate, stream.guessed_rate)
            if rate
        ],
        "frames": stream.frames,
    }


TEXT = frozenset(
    {"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "ttml", "subviewer", "microdvd"}
)
"""Codecs of subtitles that are text."""


def about_subtitles(container: InputContainer) -> list[Facts]:
    return [
        {
            "index": stream.index,
            "codec": stream.codec_context.name,
            "language": stream.metadata.get("language"),
            "title": (stream.metadata.get("title") or "")[:200],
            "forced": marked(stream, Disposition.forced),
            "hearing_impaired": marked(stream, Disposition.hearing_impaired | Disposition.captions),
        }
        for stream in container.streams.subtitles
        if stream.codec_context is not None and stream.codec_context.name in TEXT
    ]
