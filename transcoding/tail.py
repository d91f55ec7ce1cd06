"""The end of a recording without its middle.

A Matroska or fragmented MP4 file carries absolute times in each cluster or fragment, so its header
followed by its last few megabytes is a file that libav reads: where the recording really ends is known
without an index and without reading gigabytes. Formats: RFC 9559 (Matroska), ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

Fetch = Callable[[int, int], bytes]

WINDOWS: Final = (4 << 20, 32 << 20)
"""Bytes of the end that are searched, one after the other."""
MOST_HEADER: Final = 64 << 20

EBML: Final = 0x1A45DFA3
SEGMENT: Final = 0x18538067
CLUSTER: Final = 0x1F43B675
CLUSTER_MARK: Final = b"\x1f\x43\xb6\x75"
TIMESTAMP, CRC_32, VOID = 0xE7, 0xBF, 0xEC


class Spliced:
    """A readable file: `head` followed by bytes [tail, size) of the original."""

    def __init__(self, head: bytes, tail: bytes) -> None:
        self._data = head + tail
        self._at = 0

    def read(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, len(self._data))[whence]
        return self._at

    def tell(self) -> int:
        return self._at


def ends(fetch: Fetch, size: int, container: str) -> Iterator[Spliced]:
    """Stand-ins to try in order, each longer than the one before; none for other containers or small files."""
    if "matroska" in container:
        header, mark = first_cluster(fetch, size), CLUSTER_MARK
    elif "mp4" in container:
        header, mark = first_fragment(fetch, size), b"moof"
    else:
        return
    if header is None:
        return
    head = fetch(0, header)
    for window in WINDOWS:
        begin = size - window
        if begin <= header:
            break
        data = fetch(begin, size)
        at = first_whole(data, mark)
        if at is not None:
            yield Spliced(head, data[at:])


def first_whole(data: bytes, mark: bytes) -> int | None:
    """Where the first real cluster or fragment begins: a mark alone may also occur within a picture."""
    at = data.find(mark)
    while at != -1:
        if mark == CLUSTER_MARK and _is_cluster(data, at):
            return at
        if mark == b"moof" and at >= 4 and data[at + 8 : at + 12] == b"mfhd":
            return at - 4
        at = data.find(mark, at + 1)
    return None


def _is_cluster(data: bytes, at: int) -> bool:
    """A cluster's first element is its timestamp, or a checksum or filler before that."""
    length = vint(data, at + 4)
    return length is not None and data[at + 4 + length[1] : at + 5 + length[1]] in {
        bytes([TIMESTAMP]),
        bytes([CRC_32]),
        bytes([VOID]),
    }


def first_cluster(fetch: Fetch, size: int) -> int | None:
    """Offset of a Matroska file's first cluster."""
    at = 0
    while at < min(size, MOST_HEADER):
        head = fetch(at, at + 12)
        name = element_id(head)
        length = vint(head, name[1]) if name else None
        if name is None or length is None:
            return None
        if name[0] == CLUSTER:
            return at
        at += name[1] + length[1]
        if name[0] != SEGMENT:
            if length[0] is None:
                return None
            at += length[0]
    return None


def element_id(data: bytes) -> tuple[int, int] | None:
    """An EBML element's id and how many bytes it takes."""
    if not data or data[0] < 0x10:
        return None
    count = 9 - data[0].bit_length()
    return int.from_bytes(data[:count], "big"), count


def vint(data: bytes, at: int) -> tuple[int | None, int] | None:
    """An EBML size (None: unknown) and how many bytes it takes (RFC 8794, section 4)."""
    if at >= len(data) or data[at] == 0:
        return None
    count = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + count], "big") & ((1 << 7 * count) - 1)
    return (None if value == (1 << 7 * count) - 1 else value), count


def boxes(fetch: Fetch, size: int, most: int = 64) -> list[tuple[bytes, int, int]]:
    """Top-level boxes of an ISO file: name, offset, declared end (which may lie beyond the file)."""
    found: list[tuple[bytes, int, int]] = []
    at = 0
    while at + 8 <= size and len(found) < most:
        head = fetch(at, at + 16)
        length, name = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == 16:
            length = struct.unpack_from(">Q", head, 8)[0]
        elif length == 0:
            length = size - at
        if length < 8:
            break
        found.append((name, at, at + length))
        at += length
    return found


def first_fragment(fetch: Fetch, size: int) -> int | None:
    """Offset of an MP4 file's first `moof`, when its `moov` comes before: a fragmented file."""
    names: set[bytes] = set()
    for name, at, _ in boxes(fetch, size, most=16):
        if name == b"moof":
            return at if b"moov" in names and at < MOST_HEADER else None
        names.add(name)
    return None
