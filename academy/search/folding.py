"""Text as it is compared: lower case, without accents, in simplified characters, letters of usual width.

Each folded character remembers which original one it came from, so that what matched can be shown
in the text as its author wrote it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

HAN: Final = r"\u3005\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The inside of a character class of regular expressions."""


@dataclass(frozen=True, slots=True)
class Folded:
    text: str
    origins: tuple[int, ...]
    """For each character of `text`, the index of the original one; and the original's length at the end."""

    def original_range(self, start: int, end: int) -> tuple[int, int]:
        """Where characters [start, end) of `text` stand in the original."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(original: str) -> Folded:
    """Compatibility forms (NFKD, Unicode Standard Annex 15), without combining marks, case folded."""
    pieces: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(original):
        for part in _folded(character):
            pieces.append(part)
            origins.append(index)
    text = "".join(pieces)
    if not text.isascii():
        text = _simplified(text)
    return Folded(text, (*origins, len(original)))


def folded(original: str) -> str:
    return fold(original).text


def without_marks(text: str) -> str:
    return "".join(map(_folded, text))


@cache
def _folded(character: str) -> str:
    """Of one character; the cache holds an alphabet, at most the characters of Unicode."""
    decomposed = unicodedata.normalize("NFKD", character)
    kept = "".join(part for part in decomposed if not unicodedata.combining(part))
    return kept.casefold()


def _simplified(text: str) -> str:
    """Character for character: `origins` must stay right."""
    converted: str = _converter().convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(_one_for_one(part) for part in text)


def _one_for_one(character: str) -> str:
    converted: str = _converter().convert(character)
    return converted if len(converted) == 1 else character


@cache
def _converter() -> Any:
    """OpenCC's: traditional to simplified, by phrases first. Reading its tables takes 30 ms."""
    import opencc

    return opencc.OpenCC("t2s")
