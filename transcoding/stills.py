"""Poster and storyboard, from segments that were just encoded.

Not from the source: the renditions are upright, deinterlaced and in standard colours already, each segment
begins with a key frame, and the smallest one costs 2 % of decoding the source. About 5 ms of CPU per tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageStat

from academy.media import VideoRendition
from transcoding.pictures import jpeg
from transcoding.reel import Reel
from transcoding.storyboard import PER_SHEET, Storyboard, plan_storyboard

POSTER_SIDE: Final = 720
"""The poster's short side at most, pixels."""
CANDIDATES: Final = 24
"""Tiles, from the first third, among which the poster is chosen."""
GOOD_ENOUGH: Final = 0.85
"""Share of the best candidate's score at which an earlier one wins."""
FETCHERS: Final = 8


@dataclass(frozen=True, slots=True)
class Stills:
    """JPEG files. `storyboard.webvtt(board, names)` gives the cues once the sheets have names."""

    poster: bytes
    board: Storyboard
    sheets: tuple[bytes, ...]


def make_stills(reel: Reel, large: Reel) -> Stills:
    """Poster and storyboard of a finished media: tiles from `reel`, the poster from `large`.

    Reads the beginning of one segment per tile, several at a time. Raises what reading raises, and Cancelled.
    """
    board = plan_storyboard(reel.grid, reel.rung.width, reel.rung.height)
    size = (board.width, board.height)
    with ThreadPoolExecutor(FETCHERS, thread_name_prefix="stills") as pool:
        tiles = list(pool.map(lambda number: reel.first(number, size), board.segments))
    rung = large.rung
    shrink = min(1.0, POSTER_SIDE / min(rung.width, rung.height))
    shown = (round(rung.width * shrink), round(rung.height * shrink))
    poster = large.first(board.segments[most_telling(tiles)], shown)
    return Stills(jpeg(poster, quality=85), board, tuple(paste(board, tiles)))


def poster_rung(video: Sequence[VideoRendition]) -> VideoRendition:
    """The smallest rendition that fills a poster, or the largest there is."""
    by_side = sorted(video, key=lambda rung: min(rung.width, rung.height))
    return next(
        (rung for rung in by_side if min(rung.width, rung.height) >= POSTER_SIDE), by_side[-1]
    )


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
    sheets = [Image.new("RGB", board.sheet_size) for _ in range(board.sheet_count)]
    for at, tile in enumerate(tiles):
        _, x, y = board.place(at)
        sheets[at // PER_SHEET].paste(tile, (x, y))
    return [jpeg(sheet, quality=72) for sheet in sheets]
