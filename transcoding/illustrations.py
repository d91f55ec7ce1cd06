"""What shows a finished lecture without playing it: poster, storyboard, chapters with a thumbnail each.

Made once, when the first pass is encoded and has long been playable. Blocking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from academy.media import (
    INIT,
    ChapterMark,
    MediaPlan,
    Receipt,
    StoryboardSheets,
    VideoRendition,
)
from academy.object_stores import ObjectStore
from transcoding import waveform
from transcoding.chapters import slide_times, spans, title
from transcoding.pictures import jpeg
from transcoding.reel import AT_ONCE, Reel
from transcoding.stills import make_stills, poster_rung
from transcoding.storyboard import webvtt

THUMBNAIL: Final = 320
"""The longer side of a chapter's picture, pixels."""
BEFORE_THE_END: Final = 0.8
"""Seconds before a chapter's end at which its slide is complete and nothing fades yet."""
Put = Callable[[str, bytes, str], str]
"""Stores (name below the media's prefix, bytes, content type); returns the name."""


@dataclass(frozen=True, slots=True)
class Illustrations:
    """Names are relative to the media's prefix."""

    poster: str | None = None
    storyboard: str | None = None
    sheets: StoryboardSheets | None = None
    chapters: list[ChapterMark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """The segments of a media, as `reel.Segments`. `prefix` is empty or ends in `/`."""

    storage: ObjectStore
    prefix: str
    receipts: Mapping[tuple[str, int], Receipt]

    @classmethod
    def of(cls, storage: ObjectStore, prefix: str, receipts: Sequence[Receipt]) -> Stored:
        return cls(storage, prefix, {(r.track, r.number): r for r in receipts})

    def whole(self, track: str, number: int) -> bytes:
        return self._read(self.receipts[track, number].name, None)

    def key(self, track: str, number: int) -> bytes:
        receipt = self.receipts[track, number]
        return self._read(receipt.name, receipt.key_bytes or None)

    def _read(self, name: str, end: int | None) -> bytes:
        return b"".join(self.storage.read(self.prefix + name, end=end))


def illustrate(
    plan: MediaPlan,
    segments: Stored,
    put: Put,
    folder: str,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Illustrations:
    """Looks at what is stored and stores pictures under `folder` (ends in `/`).

    Raises Unavailable, Cancelled.
    """
    there = [rung for rung in plan.video if (rung.id, INIT) in segments.receipts]
    # Whatever else there is: every player's codec decodes fastest.
    video = [rung for rung in there if rung.codec == "h264"] or there
    if not video:
        return Illustrations(poster=_sound(plan, segments, put, folder))
    small = min(video, key=lambda rung: rung.width * rung.height)
    reel = Reel(plan.grid, small, segments, cancelled)
    large = Reel(plan.grid, poster_rung(video), segments, cancelled)
    # Side by side: both mostly fetch segments and decode them, in threads that leave each other alone.
    with ThreadPoolExecutor(1, thread_name_prefix="stills") as aside:
        making = aside.submit(make_stills, reel, large)
        chapters = _chapters(reel, _thumbnail_rung(video), put, folder)
    stills = making.result()
    names = [f"storyboard-{number}.jpg" for number in range(len(stills.sheets))]
    for name, sheet in zip(names, stills.sheets, strict=True):
        put(folder + name, sheet, "image/jpeg")
    board = stills.board
    return Illustrations(
        poster=put(f"{folder}poster.jpg", stills.poster, "image/jpeg"),
        storyboard=put(f"{folder}storyboard.vtt", webvtt(board, names).encode(), "text/vtt"),
        sheets=StoryboardSheets(
            names=[folder + name for name in names],
            columns=board.columns,
            rows=board.rows,
            width=board.width,
            height=board.height,
            segments=board.step,
        ),
        chapters=chapters,
    )


def _sound(plan: MediaPlan, segments: Stored, put: Put, folder: str) -> str | None:
    if plan.audio is None:
        return None
    picture = waveform.draw(waveform.levels(plan.grid, plan.audio, segments))
    return put(f"{folder}poster.jpg", jpeg(picture, quality=85), "image/jpeg")


def _thumbnail_rung(video: Sequence[VideoRendition]) -> VideoRendition:
    """The smallest that fills a thumbnail."""
    by_size = sorted(video, key=lambda rung: rung.width * rung.height)
    return next(
        (rung for rung in by_size if max(rung.width, rung.height) >= THUMBNAIL), by_size[-1]
    )


def _chapters(reel: Reel, rung: VideoRendition, put: Put, folder: str) -> list[ChapterMark]:
    parts = spans(slide_times(reel), float(reel.grid.duration))
    sharp = Reel(reel.grid, rung, reel.segments, reel.cancelled)
    size = sharp.size_within(THUMBNAIL)

    def mark(number: int) -> ChapterMark:
        start, end = parts[number]
        picture = sharp.at(max(start, end - BEFORE_THE_END), size)
        name = put(f"{folder}chapter-{number}.jpg", jpeg(picture, quality=78), "image/jpeg")
        return ChapterMark(start=start, end=end, title=title(number + 1), thumbnail=name)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="chapters") as pool:
        return list(pool.map(mark, range(len(parts))))
