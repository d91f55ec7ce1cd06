"""CMAF video as ffmpeg writes it: counting what a fragment holds, putting it in its place on the
timeline, and naming its codec. Pure (ISO/IEC 14496-12 section 8.8, RFC 6381 section 3.3).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

from transcoding.boxes import BadBox, find

TFHD_OPTIONAL = ((0x1, 8), (0x2, 4))
"""Fields before the default sample duration, by flag: base data offset, sample description index."""
NOT_SYNC = 0x10000


@dataclass(frozen=True)
class Fragment:
    """One moof and its mdat: a CMAF segment once its time and number are right."""

    data: bytes

    @cached_property
    def _samples(self) -> list[tuple[int, int]]:
        """(duration in ticks, composition offset) of each sample of every run."""
        traf = find(self.data, "moof/traf")
        tfhd = find(self.data, "tfhd", traf)
        flags = _u32(self.data, tfhd.payload) & 0xFFFFFF
        at = tfhd.payload + 8 + sum(size for bit, size in TFHD_OPTIONAL if flags & bit)
        usual = _u32(self.data, at) if flags & 0x8 else 0
        trun = find(self.data, "trun", traf)
        flags, count = _u32(self.data, trun.payload) & 0xFFFFFF, _u32(self.data, trun.payload + 4)
        at = trun.payload + 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
        fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
        samples = []
        for _ in range(count):
            values = {bit: _u32(self.data, at + 4 * n) for n, bit in enumerate(fields)}
            offset = values.get(0x800, 0)
            samples.append((values.get(0x100, usual), offset - (offset >> 31 << 32)))
            at += 4 * len(fields)
        if at > trun.end:
            raise BadBox("A track run is shorter than its sample count.")
        return samples

    @property
    def samples(self) -> int:
        return len(self._samples)

    @property
    def duration(self) -> int:
        """Ticks of the track's timescale."""
        return sum(duration for duration, _ in self._samples)

    @property
    def decode_time(self) -> int:
        """As written now (tfdt)."""
        at = find(self.data, "moof/traf/tfdt").payload
        wide = self.data[at] == 1
        return int.from_bytes(self.data[at + 4 : at + (12 if wide else 8)], "big")

    @property
    def earliest(self) -> int:
        """Presentation time of the first picture shown, relative to `decode_time`."""
        time, earliest = 0, None
        for duration, offset in self._samples:
            shown = time + offset
            earliest = shown if earliest is None else min(earliest, shown)
            time += duration
        return earliest or 0

    @property
    def starts_with_keyframe(self) -> bool:
        trun = find(self.data, "moof/traf/trun")
        flags = _u32(self.data, trun.payload) & 0xFFFFFF
        at = trun.payload + 8 + (4 if flags & 0x1 else 0)
        if flags & 0x4:
            return not _u32(self.data, at) & NOT_SYNC
        if flags & 0x400:
            skip = sum(4 for bit in (0x100, 0x200) if flags & bit)
            return not _u32(self.data, at + skip) & NOT_SYNC
        tfhd = find(self.data, "moof/traf/tfhd")
        return not _u32(self.data, tfhd.end - 4) & NOT_SYNC

    @property
    def key_bytes(self) -> int:
        """From the beginning to the end of the first sample: the byte range of an I-frame playlist.

        Raises BadBox where samples lie elsewhere than behind this very moof.
        """
        traf = find(self.data, "moof/traf")
        tfhd, trun = find(self.data, "tfhd", traf), find(self.data, "trun", traf)
        flags = _u32(self.data, trun.payload) & 0xFFFFFF
        if _u32(self.data, tfhd.payload) & 0x1 or not flags & 0x1:
            raise BadBox("A track run without an offset from its moof.")
        at = trun.payload + 8
        offset = _u32(self.data, at)
        at += 4 + (4 if flags & 0x4 else 0) + (4 if flags & 0x100 else 0)
        size = _u32(self.data, at) if flags & 0x200 else self._usual_size(tfhd.payload)
        end = find(self.data, "moof").start + offset + size
        if size == 0 or end > len(self.data):
            raise BadBox("The first sample lies outside its fragment.")
        return end

    def _usual_size(self, tfhd: int) -> int:
        flags = _u32(self.data, tfhd) & 0xFFFFFF
        optional = (*TFHD_OPTIONAL, (0x8, 4))
        at = tfhd + 8 + sum(size for bit, size in optional if flags & bit)
        return _u32(self.data, at) if flags & 0x10 else 0

    def placed(self, *, number: int, decode_time: int) -> bytes:
        """The segment's bytes with its sequence number (from 1) and decode time (ticks)."""
        data = bytearray(self.data)
        mfhd = find(data, "moof/mfhd")
        struct.pack_into(">I", data, mfhd.payload + 4, number)
        tfdt = find(data, "moof/traf/tfdt")
        if data[tfdt.payload] == 1:
            struct.pack_into(">Q", data, tfdt.payload + 4, decode_time)
        elif decode_time < 1 << 32:
            struct.pack_into(">I", data, tfdt.payload + 4, decode_time)
        else:
            raise BadBox("A 32-bit tfdt cannot hold this decode time.")
        return bytes(data)


def timescale(init: bytes) -> int:
    """Ticks per second of the first track."""
    mdhd = find(init, "moov/trak/mdia/mdhd")
    return _u32(init, mdhd.payload + (20 if init[mdhd.payload] == 1 else 12))


def video_codec(init: bytes) -> str:
    """`avc1.PPCCLL` or `av01.P.LLT.DD`, from the sample description.

    RFC 6381 section 3.3 for H.264; AV1 Codec ISO Media File Format Binding, section 5, for AV1.
    """
    stsd = find(init, "moov/trak/mdia/minf/stbl/stsd")
    entry = stsd.payload + 8
    kind = init[entry + 4 : entry + 8]
    if kind not in {b"avc1", b"avc3", b"av01"}:
        raise BadBox(f"Neither H.264 nor AV1: {kind!r}.")
    # A visual sample entry is 78 bytes long; its own boxes follow (14496-12 section 12.1.3).
    at = entry + 8 + 78
    end = entry + _u32(init, entry)
    while at < end:
        size = _u32(init, at)
        if init[at + 4 : at + 8] == b"avcC":
            return f"{kind.decode()}.{init[at + 9 : at + 12].hex()}"
        if init[at + 4 : at + 8] == b"av1C":
            return _av1_codec(init[at + 9], init[at + 10])
        at += max(8, size)
    raise BadBox("There is neither avcC nor av1C.")


def _av1_codec(first: int, second: int) -> str:
    """From the second and third byte of av1C: profile (3 bits) and level (5); tier, bit depth flags."""
    tier = "H" if second & 0x80 else "M"
    depth = (12 if second & 0x20 else 10) if second & 0x40 else 8
    return f"av01.{first >> 5}.{first & 0x1F:02}{tier}.{depth:02}"


def _u32(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
