"""What somebody typed, as terms: every group must be met, by any of its alternatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from academy.search.folding import Folded, fold
from academy.search.stop_words import STOP_WORDS
from academy.search.words import (
    ENGLISH,
    FRENCH,
    LONGEST_WORD,
    cut,
    parts_of,
    runs_of,
    terms_of_word,
)

LONGEST_QUERY: Final = 200
"""Characters."""
COMPOUND: Final = 4
"""Characters from which a Chinese word is looked for by the shorter words it consists of."""
MOST_WORDS: Final = 12
"""Of a query; later ones are not looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One word of a query."""

    surface: str
    """Folded."""
    terms: frozenset[str]
    prefix: str | None = None
    """Set for the last word while it may go on."""


@dataclass(frozen=True, slots=True)
class Query:
    words: tuple[Asked, ...]
    phrases: tuple[str, ...] = ()
    """Chinese that must stand there as written, besides holding the words: what no dictionary knows, such
    as names, and compounds, which a longer compound around them may hide from the dictionary.
    """

    @property
    def typing(self) -> str | None:
        return self.words[-1].prefix if self.words else None


def parse(text: str) -> Query:
    """The words of a query, without those that say nothing if there is another; none for signs alone."""
    typed = fold(text[:LONGEST_QUERY])
    asked: list[Asked] = []
    phrases: list[str] = []
    for word in _words(typed, text):
        if not word.terms:
            phrases.append(word.surface)
        else:
            asked.append(word)
    telling = [word for word in asked if word.surface not in STOP_WORDS]
    # Only the last word can be unfinished, and only if it is kept.
    kept = _once(telling or asked)[:MOST_WORDS]
    return Query(tuple(kept), tuple(phrases[:MOST_WORDS]))


def _words(typed: Folded, original: str) -> Iterator[Asked]:
    length = len(typed.text)
    for run in runs_of(typed):
        surface = run[0]
        if run["han"]:
            yield from _han(surface)
        elif len(surface) <= LONGEST_WORD:
            first, last = typed.original_range(run.start(), run.end())
            terms = terms_of_word(original[first:last], surface, (ENGLISH, FRENCH))
            yield Asked(surface, terms, surface if run.end() == length else None)


def _han(run: str) -> Iterator[Asked]:
    """Words; those without terms are phrases."""
    alone = ""
    for word in [*cut(run), ""]:
        if len(word) == 1 and word not in STOP_WORDS:
            alone += word
        else:
            if len(alone) > 1:
                yield Asked(alone, frozenset())
            alone = ""
        parts = parts_of(word) if len(word) >= COMPOUND else ()
        if parts:
            yield Asked(word, frozenset())
        for part in parts or (word,):
            if part:
                yield Asked(part, frozenset({part}))


def _once(words: list[Asked]) -> list[Asked]:
    """The last of equal words stays: it may be the one that goes on."""
    return list({word.surface: word for word in words}.values())
