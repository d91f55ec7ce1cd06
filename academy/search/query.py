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
    runs_of,
    terms_of_word,
)

LONGEST_QUERY: Final = 200
"""Characters."""
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
    """Chinese that no dictionary knows, such as names: found only as written, characters side by side."""

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
    """Words; and, for neighbouring characters that are no word, the phrase they make (without terms)."""
    alone = ""
    for word in [*cut(run), ""]:
        if len(word) == 1 and word not in STOP_WORDS:
            alone += word
        else:
            if len(alone) > 1:
                yield Asked(alone, frozenset())
            alone = ""
        if word:
            yield Asked(word, frozenset({word}))


def _once(words: list[Asked]) -> list[Asked]:
    """The last of equal words stays: it may be the one that goes on."""
    return list({word.surface: word for word in words}.values())
