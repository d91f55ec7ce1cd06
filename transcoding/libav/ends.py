"""Where each stream really ends: a header's duration may be missing, or promise more than there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import av
import av.error
from av.container import InputContainer

from transcoding import tail
from transcoding.libav.frames import go, rewind

NEAR_END: Final = 10.0
"""Seconds before the declared end from which the end is sought."""
READ_WHOLE: Final = 24 << 20
"""Files up to this many bytes are simply read through."""
LATE: Final = 2.0
"""Seconds that may be missing before another way to find the end is tried."""


class Ends:
    """Finds where each stream really ends, in seconds after the container's start."""

    def __init__(
        self, fetch: tail.Fetch, size: int, options: dict[str, str], declared: float | None
    ) -> None:
        self.size, self.declared = size, declared
        self._fetch, self._options = fetch, options
        self._stand_in: tail.Spliced | None = None

    def find(self, container: InputContainer, streams: list[Any]) -> dict[int, float]:
        """Per stream index; without the streams of which no packet was found."""
        begin = (container.start_time or 0) / av.time_base
        if not streams:
            return {}
        for attempt in (self._from_index, self._spliced, self._from_near_end, self._read_through):
            found = attempt(container, streams, begin)
            if found is not None:
                return found
        return {}

    def _from_index(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """An MP4's index names every sample: the last one that lies within the file ends the stream."""
        if "mp4" not in container.format.name:
            return None
        found: dict[int, float] = {}
        for stream in streams:
            entries, known = stream.index_entries, len(stream.index_entries)
            if not stream.frames or known < stream.frames or not stream.duration:
                return None
            whole = _whole_entries(entries, known, self.size)
            if whole == known:
                last = (stream.start_time or 0) + stream.duration
            elif whole == 0:
                last = stream.start_time or 0
            else:
                last = entries[whole].timestamp
            found[stream.index] = float(last * stream.time_base) - begin
        return found

    def _spliced(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """Matroska and fragmented MP4: the header and the last megabytes."""
        wanted = {stream.index for stream in streams}
        for stand_in in tail.ends(self._fetch, self.size, container.format.name):
            self._stand_in = stand_in
            with suppress(av.error.FFmpegError, ValueError), self.open_stand_in() as end:
                found = last_times(end, wanted) if end is not None else {}
                if set(found) == wanted:
                    return {index: time - begin for index, time in found.items()}
        self._stand_in = None
        return None

    @contextmanager
    def open_stand_in(self) -> Iterator[InputContainer | None]:
        """The header and the end of the recording as a file of its own, where that led to the ends."""
        if self._stand_in is None:
            yield None
            return
        self._stand_in.seek(0)
        # It is read from memory: no protocol is needed, so none is allowed.
        with av.open(
            self._stand_in, "r", options=self._options | {"protocol_whitelist": ""}
        ) as end:
            yield end

    def _from_near_end(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        if self.declared is None or self.size <= READ_WHOLE:
            return None
        if not go(container, begin + self.declared - NEAR_END):
            return None
        found = last_times(container, {stream.index for stream in streams})
        if not found or max(found.values()) - begin < self.declared - LATE:
            return None
        for stream in streams:
            # A stream that is silent near the end ended before.
            if stream.index not in found and stream.duration:
                found[stream.index] = float(
                    ((stream.start_time or 0) + stream.duration) * stream.time_base
                )
        return {index: time - begin for index, time in found.items()}

    def _read_through(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """Packet by packet, undecoded: about 1 s of CPU per hour of recording. What is left to do."""
        rewind(container, streams[0])
        found = last_times(container, {stream.index for stream in streams})
        return {index: time - begin for index, time in found.items()}


def _whole_entries(entries: Any, known: int, size: int) -> int:
    """How many samples from the start lie within the file (positions rise within a track)."""
    if known and entries[known - 1].pos + entries[known - 1].size <= size:
        return known
    low, high = 0, known - 1
    while low < high:
        middle = (low + high) // 2
        if entries[middle].pos + entries[middle].size <= size:
            low = middle + 1
        else:
            high = middle
    return low


def last_times(container: InputContainer, wanted: set[int]) -> dict[int, float]:
    """The latest end of any packet per stream, in seconds of the container's clock, reading to the end."""
    latest: dict[int, int] = {}
    bases: dict[int, Any] = {}
    before: dict[int, int] = {}
    with suppress(av.error.FFmpegError):
        for packet in container.demux():
            index = packet.stream_index
            if packet.pts is None or index not in wanted or packet.is_corrupt:
                continue
            step = packet.duration or 0
            if not step and index in before:
                step = max(0, packet.pts - before[index])
            before[index], bases[index] = packet.pts, packet.time_base
            if packet.pts + step > latest.get(index, -1):
                latest[index] = packet.pts + step
    return {index: float(value * bases[index]) for index, value in latest.items()}
