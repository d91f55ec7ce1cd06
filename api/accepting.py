"""What kind of answer somebody would rather have (RFC 9110 §12.5.1)."""

from __future__ import annotations

from typing import Final

_JSON: Final = ("application/json", "application/problem+json", "application/*")


def prefers_page(accept: str) -> bool:
    """Whether HTML is named and nothing of JSON is named as welcome: so do browsers that follow a link.
    Whoever takes anything (`*/*`) takes what an API sends.
    """
    qualities = dict(map(_quality, accept.split(",")))
    return qualities.get("text/html", 0) > max(qualities.get(each, 0) for each in _JSON)


def _quality(entry: str) -> tuple[str, float]:
    kind, *parameters = (part.strip() for part in entry.lower().split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, float(value)
            except ValueError:
                return kind, 0
    return kind, 1
