"""What matched, shown in the text as written: HTML in which everything is escaped and only `<mark>` is markup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from academy.search.folding import fold
from academy.search.query import Query
from academy.search.words import words_of

AROUND: Final = 160
"""Characters of a long text that are shown."""
BEFORE: Final = 40
"""Of them, before the first match."""
ELLIPSIS: Final = "…"
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Highlighter:
    query: Query

    def whole(self, text: str, language: str) -> str | None:
        """None when nothing in it matches."""
        marked = self.ranges(text, language)
        return _marked(text, marked, 0, len(text)) if marked else None

    def excerpt(self, text: str, language: str) -> str | None:
        """Of a long text, the part around the first match; None when nothing matches."""
        marked = self.ranges(text, language)
        if not marked:
            return None
        start = _excerpt_start(text, marked[0][0])
        end = min(len(text), max(start + AROUND, marked[0][1]))
        head = ELLIPSIS if start > 0 else ""
        tail = ELLIPSIS if end < len(text) else ""
        return f"{head}{_marked(text, marked, start, end)}{tail}"

    def ranges(self, text: str, language: str) -> list[Range]:
        """Disjoint, in order, in characters of `text`."""
        folded = fold(text)
        wanted = {term for word in self.query.words for term in word.terms}
        typing = self.query.typing
        found = [
            folded.original_range(word.start, word.end)
            for word in words_of(folded, text, language)
            if not wanted.isdisjoint(word.terms)
            or (typing is not None and word.surface.startswith(typing))
        ]
        for phrase in self.query.phrases:
            at = folded.text.find(phrase)
            while at >= 0:
                found.append(folded.original_range(at, at + len(phrase)))
                at = folded.text.find(phrase, at + len(phrase))
        return _joined(found)


def _excerpt_start(text: str, first: int) -> int:
    """Of a word, if one begins near."""
    if len(text) <= AROUND or first <= BEFORE:
        return 0
    start = min(first - BEFORE, len(text) - AROUND)
    space = text.find(" ", start, first)
    return space + 1 if 0 <= space - start < BEFORE // 2 else start


def _joined(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _marked(text: str, ranges: list[Range], start: int, end: int) -> str:
    pieces: list[str] = []
    at = start
    for first, last in ranges:
        if first >= end or last <= start:
            continue
        opening, closing = max(first, start), min(last, end)
        pieces += [escape(text[at:opening]), "<mark>", escape(text[opening:closing]), "</mark>"]
        at = closing
    return "".join([*pieces, escape(text[at:end])])
