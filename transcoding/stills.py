"""Poster and storyboard, from segments that were just encoded.

Not from the source: the renditions are upright, deinterlaced and in standard colours already, each segment
begins with a key frame, and the smallest one costs 2 % of decoding the source. About 5 ms of CPU per tile.
The segments are our own work, so they are decoded in this process.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import av
import av.error
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image, ImageStat

from academy.media import INIT, MediaPlan, VideoRendition
from transcoding.process import Cancelled
from transcoding.storyboard import PER_SHEET, Storyboard, plan_storyboard

POSTER_SIDE: Final = 720
"""The poster's short side at most, pixels."""
CANDIDATES: Final = 24
"""Tiles, from the first third, among which the poster is chosen."""
GOOD_ENOUGH: Final = 0.85
"""Share of the best candidate's score at which an earlier one wins."""
FETCHERS: Final = 8
Read = Callable[[str, int], bytes]
"""Bytes of a track's segment by number, or of its init segment (INIT)."""


@dataclass(frozen=True, slots=True)
class Stills:
    """JPEG files. `storyboard.webvtt(board, names)` gives the cues once the sheets have names."""

    poster: bytes
    board: Storyboard
    sheets: tuple[bytes, ...]


def make_stills(
    plan: MediaPlan, read: Read, *, cancelled: Callable[[], bool] = lambda: False
) -> Stills | None:
    """Poster and storyboard of a finished media; None when it has no picture.

    Reads one segment per tile of the smallest rendition, several at a time, and one of the poster's.
    Raises what `read` raises, and Cancelled.
    """
    if not plan.video:
        return None
    smallest = min(plan.video, key=lambda rung: rung.width * rung.height)
    board = plan_storyboard(plan.grid, smallest.width, smallest.height)
    init = read(smallest.id, INIT)

    def tile(segment: int) -> Image.Image:
        if cancelled():
            raise Cancelled
        return first_picture(init + read(smallest.id, segment), board.width, board.height)

    with ThreadPoolExecutor(FETCHERS, thread_name_prefix="stills") as pool:
        tiles = list(pool.map(tile, board.segments))
    chosen = board.segments[most_telling(tiles)]
    rung = poster_rung(plan.video)
    shrink = min(1.0, POSTER_SIDE / min(rung.width, rung.height))
    poster = first_picture(
        read(rung.id, INIT) + read(rung.id, chosen),
        round(rung.width * shrink),
        round(rung.height * shrink),
    )
    return Stills(jpeg(poster, quality=85), board, tuple(paste(board, tiles)))


def poster_rung(video: Sequence[VideoRendition]) -> VideoRendition:
    """The smallest rendition that fills a poster, or the largest there is."""
    by_side = sorted(video, key=lambda rung: min(rung.width, rung.height))
    return next(
        (rung for rung in by_side if min(rung.width, rung.height) >= POSTER_SIDE), by_side[-1]
    )


def first_picture(recording: bytes, width: int, height: int) -> Image.Image:
    """The first frame of an init segment and a media segment, scaled."""
    with av.open(io.BytesIO(recording), "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        frame = next(container.decode(stream), None)
        if frame is None:
            raise av.error.InvalidDataError(0, "a segment without a picture")
        # Untagged video is BT.709 to players, but BT.601 to swscale.
        matrix = Colorspace.ITU709 if frame.colorspace in {1, 2} else None
        scaled = frame.reformat(
            width,
            height,
            "rgb24",
            src_colorspace=matrix,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA,
        )
        picture: Image.Image = scaled.to_image()  # type: ignore[no-untyped-call]
        return picture


def most_telling(pictures: Sequence[Image.Image]) -> int:
    """Which picture says most, among the first third: no black, no blank; rather an early one."""
    few = pictures[: max(1, -(-len(pictures) // 3))]
    step = -(-len(few) // CANDIDATES)
    candidates = range(0, len(few), step)
    scores = {at: score(few[at]) for at in candidates}
    if max(scores.values()) < BLANK:
        scores = {at: score(picture) for at, picture in enumerate(pictures)}
    enough = max(scores.values()) * GOOD_ENOUGH
    return next(at for at, value in scores.items() if value >= enough)


BLANK: Final = 1.0
"""Bits of entropy below which a picture is as good as one colour."""


def score(picture: Image.Image) -> float:
    """Entropy of the brightness in bits per pixel, 0 to 8; nearly black or white pictures count less."""
    grey = picture.convert("L")
    mean = ImageStat.Stat(grey).mean[0]
    shade = min(1.0, mean / 32, (255 - mean) / 8)
    return float(grey.entropy()) * shade


def paste(board: Storyboard, tiles: Sequence[Image.Image]) -> list[bytes]:
    """The sheets, as JPEG files."""
    sheets = [Image.new("RGB", board.sheet_size(sheet)) for sheet in range(board.sheet_count)]
    for at, tile in enumerate(tiles):
        _, x, y = board.place(at)
        sheets[at // PER_SHEET].paste(tile, (x, y))
    return [jpeg(sheet, quality=72) for sheet in sheets]


def jpeg(picture: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()
