"""ISO base media boxes (ISO/IEC 14496-12, section 4.2): walking through them and writing them. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = 8


class BadBox(ValueError):
    """The bytes are not the boxes they should be."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box within a buffer: its type, where its payload begins and where it ends."""

    kind: bytes
    start: int
    payload: int
    end: int


def size_of(data: bytes | bytearray, at: int = 0) -> int | None:
    """The size of the box that begins at `at`; None while its header is not all there."""
    if len(data) < at + HEADER:
        return None
    size = int.from_bytes(data[at : at + 4], "big")
    if size == 1:
        if len(data) < at + 16:
            return None
        size = int.from_bytes(data[at + 8 : at + 16], "big")
    if size < HEADER:
        raise BadBox(f"A box of {size} bytes at {at}.")
    return size


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Side by side, not nested. Raises BadBox where one does not fit."""
    end = len(data) if end is None else end
    at = start
    while at < end:
        size = size_of(data, at)
        if size is None or at + size > end:
            raise BadBox(f"A box at {at} passes the end at {end}.")
        header = 16 if data[at : at + 4] == b"\0\0\0\1" else HEADER
        yield Box(bytes(data[at + 4 : at + 8]), at, at + header, at + size)
        at += size


def find(data: bytes | bytearray, path: str, within: Box | None = None) -> Box:
    """The first box at a path such as `moof/traf/tfdt`. Raises BadBox when there is none."""
    start, end = (within.payload, within.end) if within else (0, len(data))
    box: Box | None = None
    for kind in path.split("/"):
        box = next((b for b in boxes(data, start, end) if b.kind == kind.encode()), None)
        if box is None:
            raise BadBox(f"There is no {path}.")
        start, end = box.payload, box.end
    if box is None:
        raise BadBox("An empty path.")
    return box


def box(kind: str, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack(">I4s", HEADER + len(payload), kind.encode()) + payload


def full_box(kind: str, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)
