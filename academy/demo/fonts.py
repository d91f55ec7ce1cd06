"""Text in Chinese and English, drawn with the subsets of a `@fontsource-variable` font package.

The package cuts one variable font into a hundred WOFF2 files by Unicode range (`unicode.json`);
every character is drawn with the file that has it. FreeType reads WOFF2 itself.
"""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from PIL import ImageDraw, ImageFont

from academy.errors import Unavailable

REGULAR: Final = 400
BOLD: Final = 700
Colour = str | tuple[int, int, int]


class Fonts:
    """`package`: the npm package's folder. Unavailable when it is not installed."""

    def __init__(self, package: Path) -> None:
        self._package = package
        try:
            ranges: dict[str, str] = json.loads((package / "unicode.json").read_text())
        except OSError as error:
            raise Unavailable(
                f"The font package {package.name} is not installed: run `npm ci` in api/portal."
            ) from error
        self._files = {
            character: name.strip("[]")
            for name, listed in ranges.items()
            for character in _characters(listed)
        }
        self._font = lru_cache(maxsize=None)(self._open)

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        *,
        size: int,
        colour: Colour,
        weight: int = REGULAR,
    ) -> float:
        """Draws on a baseline beginning at `at`, pixels; returns the x where the text ends."""
        x, y = at
        for name, run in groupby(text, lambda character: self._files.get(ord(character), "latin")):
            font = self._font(name, size, weight)
            piece = "".join(run)
            canvas.text((x, y), piece, font=font, fill=colour, anchor="ls")
            x += font.getlength(piece)
        return x

    def covers(self, text: str) -> bool:
        return all(ord(character) in self._files for character in text)

    def _open(self, name: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
        family = self._package.name
        file = self._package / "files" / f"{family}-{name}-wght-normal.woff2"
        font = ImageFont.truetype(str(file), size)
        font.set_variation_by_axes([weight])
        return font


def _characters(ranges: str) -> list[int]:
    """Code points of a CSS unicode-range: `U+d,U+4e09-4e0b`."""
    found: list[int] = []
    for entry in ranges.split(","):
        first, _, last = entry.strip().removeprefix("U+").partition("-")
        found += range(int(first, 16), int(last or first, 16) + 1)
    return found
