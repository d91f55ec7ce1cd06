"""Reading fragmented MP4 while ffmpeg still writes it: the init segment, then each whole fragment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from transcoding.boxes import BadBox, size_of
from transcoding.mp4 import Fragment

PIECE = 1 << 20
MOST = 1 << 30
"""Bytes. No box of a few seconds of video is that long: the file is broken."""


class FragmentReader:
    """Takes bytes in any pieces, gives what has become complete. Keeps at most one fragment."""

    def __init__(self) -> None:
        self.init: bytes | None = None
        """ftyp and moov."""
        self._buffer = bytearray()
        self._header = bytearray()
        self._moof: bytes | None = None

    @property
    def rest(self) -> int:
        """Bytes received that belong to nothing complete."""
        return len(self._buffer) + len(self._moof or b"")

    def feed(self, data: bytes) -> Iterator[Fragment]:
        self._buffer += data
        while (size := size_of(self._buffer)) is not None:
            if size > MOST:
                raise BadBox(f"A box of {size} bytes.")
            if len(self._buffer) < size:
                return
            whole = bytes(self._buffer[:size])
            del self._buffer[:size]
            fragment = self._take(whole)
            if fragment is not None:
                yield fragment

    def _take(self, whole: bytes) -> Fragment | None:
        kind = whole[4:8]
        if self.init is None:
            self._header += whole
            if kind == b"moov":
                self.init = bytes(self._header)
        elif kind == b"moof":
            self._moof = whole
        elif kind == b"mdat" and self._moof is not None:
            fragment, self._moof = Fragment(self._moof + whole), None
            return fragment
        # Anything else (sidx, prft, mfra) is an index of the file, which no segment needs.
        return None


class GrowingFile:
    """A file another process appends to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def poll(self) -> Iterator[bytes]:
        """What was appended since the last call; nothing while the file does not exist."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._read)
            while piece := file.read(PIECE):
                self._read += len(piece)
                yield piece
