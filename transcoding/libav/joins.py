"""Recordings put one behind the other byte by byte, as cameras' files can be: the clock begins anew in the middle."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Any, Final

import av.error
from av.container import InputContainer

JOINABLE: Final = frozenset({"mpegts", "mpeg"})
"""Containers that are read on behind such a join."""
PLACES: Final = 24
"""Looked at, spread over the file: a piece much shorter than a 24th of it may hide between two."""
PACKETS: Final = 300
"""Read for one time at most."""
BACK: Final = 1.0
AHEAD: Final = 3 * 3600.0
"""Seconds from one place to the next that no recording takes: libav takes a clock that begins anew for one that
wrapped around."""


def joined(container: InputContainer, stream: Any, size: int) -> bool:
    """Whether the clock goes back somewhere: what lies behind would be lost."""
    if container.format.name not in JOINABLE or stream is None:
        return False
    times = [
        time
        for place in range(PLACES)
        if (time := time_at(container, stream, size * place // PLACES)) is not None
    ]
    steps = [later - earlier for earlier, later in pairwise(times)]
    return any(step < -BACK or step > AHEAD for step in steps)


def time_at(container: InputContainer, stream: Any, position: int) -> float | None:
    """Of the first packet behind a position in bytes, in seconds."""
    # IndexError: PyAV's, where a stream appears that it did not know of.
    with suppress(av.error.FFmpegError, ValueError, IndexError):
        container.seek(position, unsupported_byte_offset=True)
        for tried, packet in enumerate(container.demux()):
            if packet.stream_index == stream.index and packet.dts is not None:
                return float(packet.dts * packet.time_base)
            if tried >= PACKETS:
                break
    return None
