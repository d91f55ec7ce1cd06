"""A text in several languages, and how one of them is chosen for a reader."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LanguageTag = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$", max_length=35)
]
"""BCP 47, such as `zh`, `en`, `zh-Hant`."""


def _not_empty(value: dict[str, str]) -> dict[str, str]:
    if not value:
        raise ValueError("give the text in at least one language")
    return value


def _readable(text: str) -> str:
    if any(unicodedata.category(each) == "Cc" and each not in "\t\n\r" for each in text):
        raise ValueError("leave out control characters")
    return text


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
LocalisedText = Annotated[dict[LanguageTag, _Text], AfterValidator(_not_empty)]
WrittenText = Annotated[_Text, AfterValidator(_readable)]
"""What is stored may be older than the rule; what is written now holds no control characters."""
LocalisedInput = WrittenText | Annotated[dict[LanguageTag, WrittenText], AfterValidator(_not_empty)]
"""As clients write it: a map, or a plain string that means the resource's own language."""


def written(value: str | Mapping[str, str], language: str) -> dict[str, str]:
    """The stored map of what a client wrote."""
    return {language: value} if isinstance(value, str) else dict(value)


def merged(
    stored: Mapping[str, str], patch: str | Mapping[str, str | None], language: str
) -> dict[str, str]:
    """RFC 7396 merge: a language with null is removed, others are set."""
    changes: Mapping[str, str | None] = {language: patch} if isinstance(patch, str) else patch
    result = {**stored, **changes}
    return {tag: text for tag, text in result.items() if text is not None}


def choose(text: Mapping[str, str], wanted: Sequence[str], fallback: str) -> tuple[str, str]:
    """(language, text): the first wanted language there is, else `fallback`, else any.

    A wanted `zh-Hans-CN` finds `zh-Hans`, then `zh` (RFC 4647 lookup); a wanted `zh` finds `zh-Hant`.
    """
    for tag in [*wanted, fallback]:
        found = _lookup(text, tag)
        if found is not None:
            return found, text[found]
    first = next(iter(text), fallback)
    return first, text.get(first, "")


def _lookup(text: Mapping[str, str], tag: str) -> str | None:
    if tag in text:  # nearly always
        return tag
    parts = tag.lower().split("-")
    alike = {known.lower(): known for known in text if known.lower().partition("-")[0] == parts[0]}
    if not alike:
        return None
    for length in range(len(parts), 0, -1):
        known = alike.get("-".join(parts[:length]))
        if known is not None:
            return known
    return alike[min(alike)]


def wanted_languages(accept_language: str | None) -> list[str]:
    """The languages of an `Accept-Language` header (RFC 9110 §12.5.4), best first; `*` and q=0 left out."""
    ranked: list[tuple[float, int, str]] = []
    for position, item in enumerate((accept_language or "").split(",")[:20]):
        tag, _, parameters = item.strip().partition(";")
        quality = 1.0
        if parameters.strip().startswith("q="):
            try:
                quality = float(parameters.strip()[2:])
            except ValueError:
                continue
        if tag and tag != "*" and quality > 0:
            ranked.append((-quality, position, tag.strip()))
    return [tag for _, _, tag in sorted(ranked)]
