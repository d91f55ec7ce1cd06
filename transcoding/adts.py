"""Taking AAC access units out of an ADTS stream (ISO/IEC 14496-3, 1.A.3.2)."""

from __future__ import annotations

from collections.abc import Iterator


class BadStream(ValueError):
    """The bytes are not ADTS."""


class AdtsReader:
    """Takes bytes in any pieces, gives whole access units without their headers."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= 7:
            first, second = self._buffer[at], self._buffer[at + 1]
            if first != 0xFF or second & 0xF6 != 0xF0:
                raise BadStream("An ADTS header was expected.")
            header = 7 if second & 1 else 9
            length = (
                (self._buffer[at + 3] & 0x3) << 11
                | self._buffer[at + 4] << 3
                | self._buffer[at + 5] >> 5
            )
            if length < header:
                raise BadStream("An ADTS frame shorter than its header.")
            if len(self._buffer) - at < length:
                break
            yield bytes(self._buffer[at + header : at + length])
            at += length
        del self._buffer[:at]
