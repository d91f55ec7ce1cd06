"""Looks at frames: decodes a handful, samples when they are shown, finds where pictures end."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import av
import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transcoding.libav.streams import Facts

WINDOWS: Final = (0.0, 0.35, 0.7)
"""Where, as shares of the duration, frame times are sampled."""
WINDOW_FRAMES: Final = 150
WINDOW_PACKETS: Final = 1500
WINDOW_BYTES: Final = 12 << 20
LOOKED_AT: Final = 6
"""Frames decoded to see rotation, interlacing and colour."""
SEARCHED: Final = 40
"""Packets tried for one frame before a place counts as undecodable."""
GUESSED: Final = 4
"""Frames after a seek whose times are not believed."""
FEW: Final = 8
"""Times that tell nothing beside others."""


def look(container: InputContainer, stream: VideoStream) -> Facts:
    """Decodes the first few frames: what the container says of rotation and fields may be wrong."""
    seen: list[VideoFrame] = []
    faults = 0
    encrypted = False
    stream.codec_context.thread_count = 1
    for share in (0.0, 0.3, 0.6):
        # Not sought for at first: it was just opened, and a transport stream whose clock wraps around
        # would be read from somewhere else.
        if share and not go(container, share * (container.duration or 0) / av.time_base):
            break
        for tried, packet in enumerate(container.demux(stream)):
            encrypted = encrypted or packet.has_sidedata("encryption_info")
            try:
                seen += packet.decode()
            except av.error.FFmpegError:
                faults += 1
            if len(seen) >= LOOKED_AT or tried >= SEARCHED:
                break
        if seen:
            break
    facts: Facts = {
        "decoded": len(seen),
        "faults": faults,
        "encrypted": encrypted or stream.codec_context.codec_tag in {"encv", "drmi"},
        "interlaced": sum(frame.interlaced_frame for frame in seen),
    }
    if seen:
        first = seen[0]
        facts["rotation"] = -first.rotation % 360
        # Over HTTP libav may open a file without knowing this yet.
        facts["coded_width"], facts["coded_height"] = first.width, first.height
        facts["pixel_format"] = first.format.name
        facts["bit_depth"] = max((part.bits for part in first.format.components), default=8)
        if first.color_trc not in {0, 2}:
            facts["transfer"] = int(first.color_trc)
    return facts


def rewind(container: InputContainer, stream: Any) -> None:
    """Back to the beginning; a file that cannot seek is read on from where it is."""
    with suppress(av.error.FFmpegError):
        container.seek(stream.start_time or 0, stream=stream)


def go(container: InputContainer, at: float) -> bool:
    """To the key frame before a time in seconds of the container's own clock."""
    try:
        container.seek(max(0, int(at * av.time_base)))
    except av.error.FFmpegError:
        return False
    return True


def windows(
    container: InputContainer, stream: VideoStream, begin: float, length: float | None
) -> list[list[int]]:
    """Frame times, in ticks and rising, at several places: read, or taken from an MP4's index."""
    entries = stream.index_entries
    known = len(entries)
    if stream.frames and known == stream.frames:
        starts = sorted({int(share * known) for share in WINDOWS})
        return [
            sorted(entries[at].timestamp for at in range(first, min(known, first + WINDOW_FRAMES)))
            for first in starts
        ]
    found = []
    for share in WINDOWS if length else (0.0,):
        if share == 0.0:
            rewind(container, stream)
        elif not go(container, begin + share * (length or 0)):
            continue
        found.append(times(container, stream))
    # What is left of a recording behind the last place may be too short to tell anything.
    return [window for window in found if len(window) > FEW] or found


def times(container: InputContainer, stream: VideoStream) -> list[int]:
    stamps: list[int] = []
    packets = spent = seen = 0
    with suppress(av.error.FFmpegError):
        for packet in container.demux():
            packets, spent = packets + 1, spent + packet.size
            if packet.stream_index == stream.index and packet.pts is not None:
                seen += 1
                # The first ones after a seek often carry guessed times.
                if seen > GUESSED:
                    stamps.append(packet.pts)
            if len(stamps) >= WINDOW_FRAMES or packets > WINDOW_PACKETS or spent > WINDOW_BYTES:
                break
    # The last few may still wait for frames shown before them, the first few lack some not believed.
    return sorted(stamps)[GUESSED:-GUESSED] if len(stamps) > 3 * GUESSED else sorted(stamps)


def decodable(container: InputContainer, stream: VideoStream, begin: float, last: float) -> float:
    """Up to where pictures can be decoded: `last`, or less when the end is rubbish.

    Decodes one key frame near the end, and only if that fails a few more to find the border.
    """
    for back in (0.5, 5.0, 20.0):
        shown = shows(container, stream, begin + max(0.0, last - back))
        if shown is not None:
            break
    if shown or not shows(container, stream, begin):
        return last  # fine; or else nothing could be told at its beginning either
    low, high = 0.0, last
    for _ in range(8):
        middle = (low + high) / 2
        if shows(container, stream, begin + middle):
            low = middle
        else:
            high = middle
    return low


def shows(container: InputContainer, stream: VideoStream, at: float) -> bool | None:
    """Whether pictures come out around a time: False when every packet is rubbish.

    None when nothing can be told: some containers (MPEG-TS) seek to any packet, and what only leads up
    to the next key frame decodes to nothing without being wrong.
    """
    if not go(container, at):
        return None
    tried = failed = 0
    with suppress(av.error.FFmpegError):
        for packet in container.demux(stream):
            tried += packet.size > 0
            try:
                if any(not frame.is_corrupt for frame in packet.decode()):
                    return True
            except av.error.InvalidDataError:
                failed += 1
            if tried >= SEARCHED:
                break
    return False if tried and failed >= tried else None
