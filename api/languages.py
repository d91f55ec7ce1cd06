"""Which language a reader gets: `?lang=`, or else `Accept-Language`; `?lang=*` means all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated

from fastapi import Header, Query
from pydantic import Field

from academy.localised import choose, wanted_languages

Lang = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=r"^(\*|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*(,[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)*)$",
        description="BCP 47 tag of the language wanted; `*` returns every text as a map",
        examples=["en"],
    ),
]
AcceptLanguage = Annotated[
    str | None, Header(description="Used when there is no `lang`", examples=["zh, en;q=0.8"])
]
Text = Annotated[
    str | dict[str, str],
    Field(description="One string in the language chosen; with `?lang=*` a map by language"),
]
MOST = 4
"""Languages of one reader that are looked at."""
USUAL = 200
"""Characters of a header whose meaning is kept: longer ones would let anybody fill the memory."""
FALLBACK = "zh"
"""For what has no language of its own."""


def told_apart(tags: Iterable[str]) -> tuple[str, ...]:
    """The wishes that can make a difference, in one spelling: whoever wants `zh-CN` and then `zh`
    gets the same as who wants `zh-CN`, since that finds any `zh` (`academy.localised.choose`).
    """
    first: dict[str, str] = {}
    for tag in map(str.lower, tags):
        first.setdefault(tag.partition("-")[0], tag)
    return tuple(first.values())[:MOST]


def wishes(accept_language: str) -> tuple[str, ...]:
    """What a header (RFC 9110 §12.5.4) wishes, told apart."""
    if len(accept_language) > USUAL:
        return told_apart(wanted_languages(accept_language))
    return _usual_wishes(accept_language)


@lru_cache(maxsize=1024)
def _usual_wishes(accept_language: str) -> tuple[str, ...]:
    """Kept: browsers send few different ones."""
    return told_apart(wanted_languages(accept_language))


@dataclass(slots=True)
class Languages:
    """One reader's wishes, and what they got: `used` becomes `Content-Language`."""

    wanted: Sequence[str] = ()
    everything: bool = False
    by_address: bool = False
    """`lang` decides: `Accept-Language` makes no difference, which caches on the way like to know."""
    used: list[str] = field(default_factory=list)
    _chosen: dict[tuple[str, ...], str] = field(default_factory=dict, init=False)
    """By a text's languages and its own: an answer has many texts, and few of these."""

    @classmethod
    def asked(cls, lang: str | None, accept_language: str | None) -> Languages:
        if lang == "*":
            return cls(everything=True, by_address=True)
        if lang:
            return cls(wanted=told_apart(lang.split(",")), by_address=True)
        return cls(wanted=wishes(accept_language or ""))

    @property
    def vary(self) -> bytes:
        return b"Authorization" if self.by_address else b"Accept-Language, Authorization"

    def heading(self, text: Mapping[str, str], fallback: str) -> str | dict[str, str]:
        """A resource's own title or name: its language is the answer's language."""
        if self.everything:
            return dict(text)
        wanted = self.wanted
        language = wanted[0] if wanted and wanted[0] in text else self._choice(text, fallback)
        if language not in self.used:
            self.used.append(language)
        return text.get(language, "")

    def text(self, text: Mapping[str, str], fallback: str) -> str | dict[str, str]:
        if self.everything:
            return dict(text)
        if len(text) == 1:  # whatever is wished, and nearly always
            (only,) = text.values()
            return only
        wanted = self.wanted
        if wanted and wanted[0] in text:  # nearly always again, and what `choose` tries first
            return text[wanted[0]]
        chosen = self._chosen.get((fallback, *text))
        return text.get(chosen or self._choice(text, fallback), "")

    def _choice(self, text: Mapping[str, str], fallback: str) -> str:
        chosen = self._chosen[fallback, *text] = choose(text, self.wanted, fallback)[0]
        return chosen

    def maybe(self, text: Mapping[str, str] | None, fallback: str) -> str | dict[str, str] | None:
        return self.text(text, fallback) if text else None

    @property
    def first(self) -> str:
        """Whose titles an order by title goes by."""
        return self.wanted[0] if self.wanted else FALLBACK
