"""Which language a reader gets: `?lang=`, or else `Accept-Language`; `?lang=*` means all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
FALLBACK = "zh"
"""For what has no language of its own."""


@dataclass(slots=True)
class Languages:
    """One reader's wishes, and what they got: `used` becomes `Content-Language`."""

    wanted: list[str] = field(default_factory=list)
    everything: bool = False
    used: list[str] = field(default_factory=list)

    @classmethod
    def asked(cls, lang: str | None, accept_language: str | None) -> Languages:
        if lang == "*":
            return cls(everything=True)
        return cls(wanted=lang.split(",") if lang else wanted_languages(accept_language))

    def heading(self, text: Mapping[str, str], fallback: str) -> str | dict[str, str]:
        """A resource's own title or name: its language is the answer's language."""
        if self.everything:
            return dict(text)
        language, chosen = choose(text, self.wanted, fallback)
        if language not in self.used:
            self.used.append(language)
        return chosen

    def text(self, text: Mapping[str, str], fallback: str) -> str | dict[str, str]:
        if self.everything:
            return dict(text)
        return choose(text, self.wanted, fallback)[1]

    def maybe(self, text: Mapping[str, str] | None, fallback: str) -> str | dict[str, str] | None:
        return self.text(text, fallback) if text else None

    @property
    def first(self) -> str:
        """Whose titles an order by title goes by."""
        return self.wanted[0] if self.wanted else FALLBACK
