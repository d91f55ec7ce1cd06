"""A finished rendition to be looked at: its segments' pictures, decoded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from PIL import Image

from academy.media import INIT, Grid, VideoRendition
from transcoding.pictures import first_picture, pictures
from transcoding.process import Cancelled

APART: Final = 0.2
"""Seconds between the pictures of a segment that is looked at closely."""
AT_ONCE: Final = 4
"""Segments decoded at the same time."""
BATCH: Final = 64
"""Pictures held in memory."""


class Segments(Protocol):
    """The finished segments of one media. Both raise what the storage raises."""

    def whole(self, track: str, number: int) -> bytes:
        """Of a media segment by number, or of the init segment (INIT)."""
        ...

    def key(self, track: str, number: int) -> bytes:
        """At least as much of a media segment as its first picture takes."""
        ...


@dataclass(frozen=True, slots=True)
class Reel:
    """One rendition of a finished media, to be looked at."""

    grid: Grid
    rung: VideoRendition
    segments: Segments
    cancelled: Callable[[], bool] = lambda: False

    def first(self, number: int, size: tuple[int, int], *, grey: bool = False) -> Image.Image:
        """The first picture of a segment."""
        self._check()
        data = self._init + self.segments.key(self.rung.id, number)
        return first_picture(data, *size, "gray" if grey else "rgb24")

    def firsts(self, size: tuple[int, int]) -> Iterator[Image.Image]:
        """Of every segment in order, grey."""
        numbers = range(self.grid.segment_count)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reel") as pool:
            for begin in range(0, len(numbers), BATCH):
                batch = numbers[begin : begin + BATCH]
                yield from pool.map(lambda number: self.first(number, size, grey=True), batch)

    def all_of(self, number: int, size: tuple[int, int]) -> list[tuple[float, Image.Image]]:
        """A few each second, grey, with their times from the start of the media."""
        self._check()
        data = self._init + self.segments.whole(self.rung.id, number)
        begin = float(self.grid.start(number))
        found = pictures(data, *size, "gray", apart=APART, quick=True)
        return [(begin + time, picture) for time, picture in found]

    def at(self, time: float, size: tuple[int, int]) -> Image.Image:
        """What is shown at a moment, in colour."""
        self._check()
        number = self.number_at(time)
        begin, shown = float(self.grid.start(number)), None
        data = self._init + self.segments.whole(self.rung.id, number)
        for after, picture in pictures(data, *size, apart=APART):
            if shown is not None and begin + after > time:
                break
            shown = picture
        return shown if shown is not None else self.first(number, size)

    def number_at(self, time: float) -> int:
        frame = int(time * self.grid.frame_rate.fraction)
        return min(max(0, frame // self.grid.segment_frames), self.grid.segment_count - 1)

    def size_within(self, side: int) -> tuple[int, int]:
        """The picture's size with its longer side `side`, never enlarged."""
        shrink = min(1.0, side / max(self.rung.width, self.rung.height))
        return max(1, round(self.rung.width * shrink)), max(1, round(self.rung.height * shrink))

    @property
    def _init(self) -> bytes:
        return self.segments.whole(self.rung.id, INIT)

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled
