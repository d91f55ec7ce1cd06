"""The storyboard's plan and its WebVTT: small pictures on a few sheets, one every so many segments. Pure.

The format is what players agree on: cues whose text is `sheet.jpg#xywh=x,y,width,height`
(Media Fragments URI 1.0, section 4.2.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from academy.media import Grid

COLUMNS: Final = 10
ROWS: Final = 10
PER_SHEET: Final = COLUMNS * ROWS
MOST_SHEETS: Final = 3
TILE: Final = (160, 120)
"""The box that a tile fits into, pixels."""


class Storyboard(BaseModel):
    """Where each tile comes from and lies. Every tile shows the first frame of a segment."""

    model_config = ConfigDict(frozen=True)

    segments: list[int] = Field(min_length=1)
    """Of each tile."""
    starts: list[float]
    """Seconds, of each tile and then the end."""
    width: int
    height: int
    """Of a tile, pixels."""

    @property
    def sheet_count(self) -> int:
        return -(-len(self.segments) // PER_SHEET)

    @property
    def columns(self) -> int:
        return min(COLUMNS, len(self.segments))

    @property
    def rows(self) -> int:
        """The same on every sheet, as manifests want it."""
        return -(-min(PER_SHEET, len(self.segments)) // COLUMNS)

    @property
    def step(self) -> int:
        """Segments that a tile stands for."""
        return self.segments[1] - self.segments[0] if len(self.segments) > 1 else 1

    def place(self, tile: int) -> tuple[int, int, int]:
        """Sheet, x and y of a tile."""
        sheet, rest = divmod(tile, PER_SHEET)
        row, column = divmod(rest, COLUMNS)
        return sheet, column * self.width, row * self.height

    @property
    def sheet_size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.columns * self.width, self.rows * self.height


def plan_storyboard(grid: Grid, width: int, height: int) -> Storyboard:
    """As dense as the segments allow, on at most three sheets. `width`, `height`: of the picture."""
    count = grid.segment_count
    step = -(-count // (PER_SHEET * MOST_SHEETS))
    chosen = list(range(0, count, step))
    shrink = min(Fraction(TILE[0], width), Fraction(TILE[1], height))
    return Storyboard(
        segments=chosen,
        starts=[float(grid.start(each)) for each in chosen] + [float(grid.duration)],
        width=max(1, round(width * shrink)),
        height=max(1, round(height * shrink)),
    )


def webvtt(board: Storyboard, sheets: Sequence[str]) -> str:
    """The cues; `sheets` are the names of the sheets relative to the WebVTT file."""
    return "".join(_lines(board, sheets))


def _lines(board: Storyboard, sheets: Sequence[str]) -> Iterator[str]:
    yield "WEBVTT\n"
    for tile in range(len(board.segments)):
        sheet, x, y = board.place(tile)
        begin, end = board.starts[tile], board.starts[tile + 1]
        yield (
            f"\n{timestamp(begin)} --> {timestamp(end)}\n"
            f"{sheets[sheet]}#xywh={x},{y},{board.width},{board.height}\n"
        )


def timestamp(seconds: float) -> str:
    """`01:02:03.045` (WebVTT, section 3.3)."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
