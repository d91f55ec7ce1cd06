"""Reading from the middle of a recording that has no index.

A browser's MediaRecorder and some cameras write Matroska without cues or MP4 in fragments: to begin in the
middle, libav reads all that lies before (of fragments, even all there are), for every chunk, from remote
storage. But each cluster and fragment carries its absolute time, so the place is found by bisection, and ffmpeg
is shown the header followed by the rest from there. Formats: RFC 9559 (Matroska), ISO/IEC 14496-12.
Costs about ten reads of at most a megabyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Protocol

from academy.recordings import Inspection
from transcoding import tail
from transcoding.boxes import BadBox, Box, boxes, find, size_of
from transcoding.clock import beginning, on_clock
from transcoding.sources import Source

WINDOW: Final = 1 << 20
MOST_WINDOWS: Final = 32
"""Read in search of the next cluster or fragment."""
BACK: Final = (4, 12, 40, 120)
"""Seconds before the wanted time from which a key frame is looked for, one after the other."""
MOST_WALKED: Final = 64 << 20
"""Bytes between there and the wanted time."""
CUES: Final = b"\x1c\x53\xbb\x6b"
TRACKS, TRACK, NUMBER, KIND = 0x1654AE6B, 0xAE, 0xD7, 0x83
INFO, SCALE = 0x1549A966, 0x2AD7B1
GROUP, BLOCK, SIMPLE, REFERENCE = 0xA0, 0xA1, 0xA3, 0xFB
NOT_SYNC: Final = 0x10000


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster or fragment: where it begins, when (container's clock, seconds), whether with a key frame."""

    offset: int
    time: Fraction
    key: bool


class Layout(Protocol):
    """How one container is read."""

    @property
    def header(self) -> int:
        """Bytes before the first cluster or fragment."""
        ...

    def place(self, offset: int) -> tuple[Place, int] | None:
        """What begins at an offset, and how far to look for what follows."""
        ...

    def next_mark(self, data: bytes) -> int | None:
        """Where in these bytes the first real cluster or fragment begins."""
        ...


def near(source: Source, inspection: Inspection, time: Fraction, *, picture: bool) -> Source:
    """The same recording, to be read from shortly before `time` (seconds after its start).

    `picture`: from a key frame. The source itself where it lies on this machine, has an index, or where
    no place can be told for sure. Times count from the beginning of the lecture's clock in any case.
    """
    source = on_clock(source, inspection)
    if source.view is None:
        return source
    try:
        layout = _layout(source, inspection)
        if layout is None:
            return source
        start = Fraction(inspection.start).limit_denominator(1_000_000)
        offset = _before(source, layout, start, start + time, picture=picture)
    except (BadBox, IndexError):
        return source
    if offset is None:
        return source
    return replace(
        source,
        url=source.view(layout.header, offset),
        size=layout.header + source.size - offset,
        origin=beginning(inspection),
        view=None,
    )


def _layout(source: Source, inspection: Inspection) -> Layout | None:
    if inspection.container == "matroska":
        return Clusters.of(source, inspection)
    return Fragments.of(source, inspection) if inspection.container == "mp4" else None


def _before(
    source: Source, layout: Layout, start: Fraction, wanted: Fraction, *, picture: bool
) -> int | None:
    for back in BACK if picture else BACK[:1]:
        first = _last_at(source, layout, wanted - back) if wanted - back > start else None
        if first is None:
            return layout.header
        if not picture:
            return first.offset
        keys = [place.offset for place in _walk(source, layout, first, wanted) if place.key]
        if keys:
            return keys[-1]
    return None


def _last_at(source: Source, layout: Layout, wanted: Fraction) -> Place | None:
    """The last place at or before a time, by bisection; None: the beginning."""
    low, high, best = layout.header, source.size, None
    while high - low > WINDOW // 4:
        middle = (low + high) // 2
        found = _next(source, layout, middle, high)
        if found is None or found.time > wanted:
            high = middle
        else:
            best, low = found, max(found.offset + 1, middle)
    return best


def _next(source: Source, layout: Layout, begin: int, end: int) -> Place | None:
    """The first place that begins in [begin, end)."""
    overlap = 16
    for _ in range(MOST_WINDOWS):
        data = source.fetch(begin, min(begin + WINDOW, source.size))
        at = layout.next_mark(data)
        if at is not None and begin + at < end:
            found = layout.place(begin + at)
            if found is not None:
                return found[0]
        begin += WINDOW - overlap
        if begin >= end:
            return None
    return None


def _walk(source: Source, layout: Layout, first: Place, wanted: Fraction) -> Iterator[Place]:
    """From a place on, until the wanted time."""
    offset, last = first.offset, first.offset + MOST_WALKED
    while offset < min(last, source.size):
        found = layout.place(offset)
        if found is None:
            return
        place, following = found
        if place.time > wanted:
            return
        yield place
        after = _next(source, layout, following, source.size)
        if after is None:
            return
        offset = after.offset


@dataclass(frozen=True, slots=True)
class Clusters:
    """Matroska. A cluster counts as beginning with a key frame if its first picture is one."""

    source: Source
    header: int
    scale: Fraction
    """Seconds of a tick."""
    track: int | None

    @classmethod
    def of(cls, source: Source, inspection: Inspection) -> Clusters | None:
        header = tail.first_cluster(source.fetch, source.size)
        if header is None:
            return None
        head = source.fetch(0, header)
        if CUES in head:
            return None
        scale, tracks = 1_000_000, []
        for name, data in _elements(_segment(head)):
            if name == INFO:
                scale = next((_int(v) for n, v in _elements(data) if n == SCALE), scale)
            elif name == TRACKS:
                tracks = [dict(_elements(v)) for n, v in _elements(data) if n == TRACK]
        video = inspection.video
        track = None
        if video is not None and video.index < len(tracks):
            entry = tracks[video.index]
            track = _int(entry[NUMBER]) if entry.get(KIND) == b"\x01" else None
        if video is not None and track is None:
            return None
        return cls(source, header, Fraction(scale, 10**9), track)

    def next_mark(self, data: bytes) -> int | None:
        return tail.first_whole(data, tail.CLUSTER_MARK)

    def place(self, offset: int) -> tuple[Place, int] | None:
        data = self.source.fetch(offset, min(offset + WINDOW, self.source.size))
        size = tail.vint(data, 4)
        if size is None:
            return None
        at, time = 4 + size[1], None
        while at < len(data):
            name = tail.element_id(data[at : at + 4])
            length = tail.vint(data, at + name[1]) if name else None
            if name is None or length is None or length[0] is None:
                break
            start = at + name[1] + length[1]
            if name[0] == tail.TIMESTAMP:
                time = _int(data[start : start + length[0]]) * self.scale
                if self.track is None:
                    return Place(offset, time, key=True), offset + start
            elif name[0] in {SIMPLE, GROUP} and time is not None:
                key = self._key(name[0], data[start : start + length[0]])
                if key is not None:
                    return Place(offset, time, key=key), offset + start
            at = start + length[0]
        # No picture in sight: no place to begin with one.
        return (Place(offset, time, key=False), offset + 5) if time is not None else None

    def _key(self, name: int, data: bytes) -> bool | None:
        """Whether a block is a key frame of the picture; None for other tracks'."""
        reference = False
        if name == GROUP:
            inner = dict(_elements(data))
            reference, data = REFERENCE in inner, inner.get(BLOCK, b"")
        number = tail.vint(data, 0)
        if number is None or number[0] != self.track or len(data) < number[1] + 3:
            return None
        return not reference if name == GROUP else bool(data[number[1] + 2] & 0x80)


@dataclass(frozen=True, slots=True)
class Fragments:
    """Fragmented MP4, whose fragments' data lie beside them."""

    source: Source
    header: int
    track: int
    timescale: int
    usual_flags: int

    @classmethod
    def of(cls, source: Source, inspection: Inspection) -> Fragments | None:
        header = tail.first_fragment(source.fetch, source.size)
        stream = inspection.video or inspection.audio
        if header is None or stream is None:
            return None
        head = source.fetch(0, header)
        moov = find(head, "moov")
        traks = [box for box in boxes(head, moov.payload, moov.end) if box.kind == b"trak"]
        trak = traks[stream.index]
        tkhd, mdhd = find(head, "tkhd", trak), find(head, "mdia/mdhd", trak)
        track = _u32(head, tkhd.payload + (20 if head[tkhd.payload] == 1 else 12))
        timescale = _u32(head, mdhd.payload + (20 if head[mdhd.payload] == 1 else 12))
        mvex = find(head, "moov/mvex")
        usual = next(
            (
                _u32(head, box.payload + 20)
                for box in boxes(head, mvex.payload, mvex.end)
                if box.kind == b"trex" and _u32(head, box.payload + 4) == track
            ),
            0,
        )
        return cls(source, header, track, timescale, usual)

    def next_mark(self, data: bytes) -> int | None:
        return tail.first_whole(data, b"moof")

    def place(self, offset: int) -> tuple[Place, int] | None:
        head = self.source.fetch(offset, offset + 8)
        size = size_of(head)
        if size is None or size > WINDOW:
            return None
        data = self.source.fetch(offset, offset + size)
        moof = find(data, "moof")
        for traf in boxes(data, moof.payload, moof.end):
            if traf.kind == b"traf" and self._of_ours(data, traf):
                return self._read(data, traf, offset), offset + size
        return None

    def _of_ours(self, data: bytes, traf: Box) -> bool:
        tfhd = find(data, "tfhd", traf)
        if _u32(data, tfhd.payload) & 0x1:
            raise BadBox("Offsets count from the file's beginning.")
        return _u32(data, tfhd.payload + 4) == self.track

    def _read(self, data: bytes, traf: Box, offset: int) -> Place:
        tfdt, tfhd, trun = (find(data, name, traf) for name in ("tfdt", "tfhd", "trun"))
        wide = data[tfdt.payload] == 1
        time = int.from_bytes(data[tfdt.payload + 4 : tfdt.payload + (12 if wide else 8)], "big")
        flags = _u32(data, trun.payload) & 0xFFFFFF
        at = trun.payload + 8 + (4 if flags & 0x1 else 0)
        if flags & 0x4:
            sample = _u32(data, at)
        elif flags & 0x400:
            sample = _u32(data, at + sum(4 for bit in (0x100, 0x200) if flags & bit))
        else:
            given = _u32(data, tfhd.payload) & 0x20
            sample = _u32(data, tfhd.end - 4) if given else self.usual_flags
        return Place(offset, Fraction(time, self.timescale), key=not sample & NOT_SYNC)


def _segment(head: bytes) -> bytes:
    """What lies in the segment, as far as `head` goes."""
    at = 0
    while at < len(head):
        name = tail.element_id(head[at : at + 4])
        length = tail.vint(head, at + name[1]) if name else None
        if name is None or length is None:
            break
        at += name[1] + length[1]
        if name[0] == tail.SEGMENT:
            return head[at:]
        at += length[0] or 0
    return b""


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """EBML elements side by side: id and content."""
    at = 0
    while at < len(data):
        name = tail.element_id(data[at : at + 4])
        length = tail.vint(data, at + name[1]) if name else None
        if name is None or length is None or length[0] is None:
            return
        at += name[1] + length[1]
        yield name[0], data[at : at + length[0]]
        at += length[0]


def _int(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
