"""Fonts for print, made of a `@fontsource-variable` package as the portal serves it.

The package cuts one variable font into a hundred WOFF2 files by Unicode range (`unicode.json`). Print
wants one static TrueType font with the characters of one text: the files that have them are unpacked
(80 ms of CPU each, kept), cut to those characters, fixed at one weight, and merged.

fontTools is imported when the first font is made: that costs half a second of CPU.
"""

from __future__ import annotations

import io
import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from academy.errors import Unavailable

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

REGULAR: Final = 400
BOLD: Final = 700
_FALLBACK: Final = "latin"
# Layout by script and vertical text: a certificate needs neither.
_NEEDLESS: Final = ("GSUB", "GPOS", "GDEF", "STAT", "BASE", "VVAR", "vhea", "vmtx")
_KEPT: Final = 100
"""Unpacked files that stay in memory, about 80 kB each."""


class Typeface:
    """`package`: the npm package's folder. Unavailable when it is not installed. Thread-safe."""

    def __init__(self, package: Path) -> None:
        try:
            ranges: dict[str, str] = json.loads((package / "unicode.json").read_text())
        except OSError as error:
            raise Unavailable(
                f"The font package {package.name} is not installed: run `npm ci` in api/portal."
            ) from error
        self._package = package
        self._files = {
            point: name.strip("[]") for name, listed in ranges.items() for point in _points(listed)
        }
        self._unpacked = lru_cache(maxsize=_KEPT)(self._unpack)
        self._lock = threading.Lock()  # fontTools holds no locks, and two makers would do it twice

    def covers(self, text: str) -> bool:
        return all(ord(character) in self._files for character in text)

    def font(self, text: str, weight: int) -> bytes:
        """A TrueType font with the characters of `text`; those the package lacks are left out."""
        wanted: dict[str, set[str]] = {}
        for character in {*text, " "}:
            wanted.setdefault(self._files.get(ord(character), _FALLBACK), set()).add(character)
        with self._lock:
            # Sorted, with the Latin file first: its metrics become the merged font's.
            names = sorted(wanted, key=lambda name: (name != _FALLBACK, name))
            parts = [_cut(self._unpacked(name), "".join(wanted[name]), weight) for name in names]
            if len(parts) == 1:
                return parts[0]
            from fontTools.merge import Merger

            return _saved(Merger().merge([io.BytesIO(part) for part in parts]))

    def _unpack(self, name: str) -> bytes:
        from fontTools.ttLib import TTFont

        file = self._package / "files" / f"{self._package.name}-{name}-wght-normal.woff2"
        font = TTFont(file)
        for table in _NEEDLESS:
            if table in font:
                del font[table]
        font.flavor = None
        return _saved(font)


def _cut(font: bytes, text: str, weight: int) -> bytes:
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    opened = TTFont(io.BytesIO(font), lazy=True)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(opened)
    instantiateVariableFont(opened, {"wght": weight}, inplace=True)
    return _saved(opened)


def _saved(font: TTFont) -> bytes:
    made = io.BytesIO()
    font.save(made)
    return made.getvalue()


def _points(ranges: str) -> list[int]:
    """Code points of a CSS unicode-range: `U+d,U+4e09-4e0b`."""
    found: list[int] = []
    for entry in ranges.split(","):
        first, _, last = entry.strip().removeprefix("U+").partition("-")
        found += range(int(first, 16), int(last or first, 16) + 1)
    return found
