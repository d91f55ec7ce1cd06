"""What ffmpeg and PyAV may read: a local path, or a range reader on loopback in front of the storage.

Never a remote address: credentials stay in this process, nothing is redirected, and the input options
leave libav no other protocol and no format that names other files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from academy.errors import ObjectNotFound, RejectedMedia
from academy.object_stores import LocalFiles, ObjectStore
from transcoding.range_reader import RangeReader

FORMATS: Final = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg"),
    *("wav", "w64", "mp3", "aac", "flac", "mxf", "aiff", "caf", "amr", "dv"),
)
"""Containers that hold their media themselves. Never hls, dash, concat, image2, sdp, ffmetadata."""

MOST_PIXELS: Final = 8192 * 8192
"""Of any one picture: a stream may grow after inspection."""

Fetch = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Source:
    """One recording, readable while the context that gave it is open. `size` in bytes."""

    url: str
    size: int
    protocols: tuple[str, ...]
    fetch: Fetch
    """Bytes [start, end), fewer only at the end of the file."""
    trouble: Callable[[], str | None] = lambda: None
    """Why the storage failed to deliver, if it did: what then looks like a bad file is not one."""
    view: Callable[[int, int], str] | None = None
    """The address of the first so many bytes followed by the rest from an offset on; None on this machine."""
    origin: float | None = None
    """Of such a view: when the whole recording starts, on the container's clock in seconds."""
    zero: float | None = None
    """When the lecture's clock begins, in seconds of the container's, where that is not simply the start of
    the recording as ffmpeg sees it: see `clock.py`."""
    lead: Fraction = Fraction(0)
    """Seconds by which reading begins earlier, in containers without an index: see `keyframes.py`."""

    @property
    def options(self) -> dict[str, str]:
        """For ffmpeg-python's `input(url, **options)` and PyAV's `open(url, options=…)`."""
        return {
            "protocol_whitelist": ",".join(self.protocols),
            "format_whitelist": ",".join(FORMATS),
            "max_pixels": str(MOST_PIXELS),
        }

    def reading_from(self, begin: Fraction) -> dict[str, str | None]:
        """Input options: times count from the recording's start, and reading begins at or before `begin`."""
        if self.origin is not None:
            # A view begins there; libav must not look for an index by reading every fragment.
            return {"copyts": None, "itsoffset": f"{-self.origin:.6f}", "fflags": "+ignidx"}
        # Timestamps as in the file, counted from its start, so that every chunk agrees on the grid.
        options: dict[str, str | None] = {"copyts": None, "start_at_zero": None}
        if self.zero is not None:
            # A microsecond beside it: what ffmpeg takes for the start itself it corrects in the same way.
            options = {"copyts": None, "itsoffset": f"{0.000001 - self.zero:.6f}"}
        begin -= self.lead
        if begin > 0:
            # From the keyframe before: an accurate seek drops the frame that is still shown at the start
            # of the chunk (one frame per 10 s gave 0 of 120 frames). Not at 0, where a damaged index
            # makes even that seek fail.
            options |= {"noaccurate_seek": None, "ss": f"{float(begin):.9f}"}
        return options

    def input_args(self) -> list[str]:
        """The input as ffmpeg arguments, `-i` included; put `-ss` and the like before them."""
        options = [word for name, value in self.options.items() for word in (f"-{name}", value)]
        return [*options, "-i", self.url]


def of_file(path: Path) -> Source:
    """A file on this machine. RejectedMedia when it is not an ordinary file."""
    whole = path.resolve()
    if not whole.is_file():
        raise RejectedMedia(f"{path} is not a file.", code="not_media")

    def fetch(start: int, end: int) -> bytes:
        with whole.open("rb") as file:
            file.seek(start)
            return file.read(max(0, end - start))

    # `file:` takes the rest literally, whatever characters the name holds.
    return Source(f"file:{whole}", whole.stat().st_size, ("file",), fetch)


@contextmanager
def open_source(storage: ObjectStore, key: str) -> Iterator[Source]:
    """The object as a Source. ObjectNotFound when it is missing; Unavailable from the storage."""
    if isinstance(storage, LocalFiles):
        path = storage.path(key)
        if not path.is_file():
            raise ObjectNotFound(f"There is no object {key}.")
        yield of_file(path)
        return
    size = storage.stat(key).size
    with RangeReader(storage, key, size) as reader:
        yield Source(reader.url, size, ("http", "tcp"), reader.fetch, reader.trouble, reader.view)
