"""The words of a text, where they stand, and the terms they are found by.

Chinese: words of the dictionary with those inside them (jieba's search mode), and every single character. Other scripts: the Snowball stem for the text's language, accents folded before and
after stemming, so that “donnees” and “données” meet. A term of a stem carries its language (`e:`, `f:`):
the same letters mean different things in the two.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from academy.search.course_words import COURSE_WORDS
from academy.search.folding import HAN, Folded, fold, without_marks

_RUN: Final = re.compile(rf"(?P<han>[{HAN}]+)|(?P<word>[^\W_{HAN}]+(?:\+\+|\#(?!\w))?)")
LONGEST_WORD: Final = 64
"""Characters; what is longer is no word. Index keys stay small."""
LONG: Final = 3
"""Characters of a Chinese word that hardly ever stands somewhere by chance."""
ENGLISH: Final = "e"
FRENCH: Final = "f"
_stemmers: Final = threading.local()


@dataclass(frozen=True, slots=True)
class Word:
    """`start` and `end` count characters of the folded text."""

    start: int
    end: int
    surface: str
    """Folded."""
    terms: frozenset[str]
    han: bool = False


def warm_up() -> None:
    """Reads dictionaries (0.2 s): call it in a thread at start, not with the first query."""
    _segmenter()
    stems("warm", ENGLISH)
    fold("學")


def words_of(text: Folded, original: str, language: str) -> Iterator[Word]:
    """Run by run; Chinese ones overlap. `language`: BCP 47, of the text."""
    tongue = stemming(language)
    for run in _RUN.finditer(text.text):
        begin, found = run.start(), run[0]
        if run["han"]:
            for index, character in enumerate(found, begin):
                yield Word(index, index + 1, character, frozenset({character}), han=True)
            for word, start, end in _han_words(found):
                yield Word(begin + start, begin + end, word, frozenset({word}), han=True)
        elif len(found) <= LONGEST_WORD:
            first, last = text.original_range(begin, run.end())
            terms = terms_of_word(original[first:last], found, (tongue,))
            yield Word(begin, run.end(), found, terms)


def _han_words(run: str) -> set[tuple[str, int, int]]:
    """Of two characters and more. Short ones count where a reader would see them (“市长” is no word of
    “南京市长江大桥”), long ones wherever they stand: whether “大数据处理” is cut before or behind “数据”, both
    “大数据” and “数据处理” are in it.
    """
    segmenter = _segmenter()
    words = {
        (word, start, end)
        for word, start, end in segmenter.tokenize(run, "search", hmm=False)
        if end - start > 1
    }
    for word in set(segmenter.cut_all(run)):
        if len(word) >= LONG:
            words |= {(word, at, at + len(word)) for at in _places(word, run)}
    return words


def _places(word: str, run: str) -> Iterator[int]:
    at = run.find(word)
    while at >= 0:
        yield at
        at = run.find(word, at + 1)


def cut(han: str) -> list[str]:
    """A run of simplified Chinese characters as words that follow one another."""
    words: list[str] = _segmenter().cut(han, hmm=False)
    return words


def terms_of_word(original: str, surface: str, tongues: tuple[str, ...]) -> frozenset[str]:
    """Of a word that is not Chinese, as written and folded, in each of the stemmers named."""
    if not surface.isalpha():
        return frozenset(f"{tongue}:{surface}" for tongue in tongues)
    written = original.lower()
    return frozenset(
        f"{tongue}:{stem}"
        for tongue in tongues
        for stem in {without_marks(stems(written, tongue)), stems(surface, tongue)}
    )


def stemming(language: str) -> str:
    return FRENCH if language.split("-", maxsplit=1)[0].lower() == "fr" else ENGLISH


def stems(word: str, tongue: str) -> str:
    stem: str = _stemmer(tongue).stemWord(word)
    return stem


def runs_of(text: Folded) -> Iterator[re.Match[str]]:
    """Runs of Chinese (group `han`) and other words (group `word`)."""
    return _RUN.finditer(text.text)


def _stemmer(tongue: str) -> Any:
    """One per thread: Snowball's stemmers are not to be shared."""
    known: dict[str, Any] | None = getattr(_stemmers, "by_tongue", None)
    if known is None:
        import Stemmer

        known = _stemmers.by_tongue = {
            ENGLISH: Stemmer.Stemmer("english"),
            FRENCH: Stemmer.Stemmer("french"),
        }
    return known[tongue]


_segmenter_lock: Final = threading.Lock()


def _segmenter() -> Any:
    with _segmenter_lock:
        return _loaded_segmenter()


@cache
def _loaded_segmenter() -> Any:
    import rjieba

    segmenter = rjieba.Jieba()
    for word in COURSE_WORDS:
        segmenter.add_word(word, None, None)
    return segmenter
