"""Under which key a request's answer is kept: canonical, so that spelling makes no second entry.

A key holds the path, the parameters that its route knows (sorted, the last of each name, as FastAPI
reads them), the languages that can make a difference, and the origin if it is one that is let in.
What a route does not know is not in the key, and keys have a longest length: nobody can fill the
memory with query strings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.languages import wishes

LONGEST: Final = 1024
"""Bytes of path, query and languages in one key; requests beyond are answered without the cache."""
GZIP: Final = "gzip"
PLAIN: Final = ""


class Key(NamedTuple):
    path: str
    query: str
    """Encoded again, so that it can be asked for."""
    languages: str
    """As an `Accept-Language`; empty where `lang` decides or nothing is localised."""
    origin: str


@dataclass(slots=True, eq=False)
class Address:
    """One route whose answers are kept, and how many were given out of the cache."""

    template: str
    parameters: frozenset[str]
    route: APIRoute | None = None
    pattern: re.Pattern[str] = field(init=False)
    found: int = 0
    not_modified: int = 0
    others: Counter[tuple[str, int]] = field(default_factory=Counter)
    """The rest of what was answered, by method and status."""

    def __post_init__(self) -> None:
        parts = re.split(r"\{[^{}]+\}", self.template)
        self.pattern = re.compile("[^/]+".join(map(re.escape, parts)))

    @classmethod
    def of(cls, route: APIRoute) -> Address:
        return cls(route.path, frozenset(_parameters(route.dependant)), route)


@dataclass(frozen=True, slots=True)
class Addresses:
    known: tuple[Address, ...]
    origins: Collection[str] = ()
    """Let in by CORS; `*` for all."""
    _any: re.Pattern[str] = field(init=False)
    """One group for each address."""

    def __post_init__(self) -> None:
        every = "|".join(f"({each.pattern.pattern})" for each in self.known)
        object.__setattr__(self, "_any", re.compile(every))

    @classmethod
    def of(cls, routes: Iterable[APIRoute], origins: Collection[str]) -> Addresses:
        return cls(tuple(map(Address.of, routes)), frozenset(origins))

    @property
    def varies(self) -> tuple[bytes, ...]:
        """What else answers depend on than their routes say."""
        by_origin = bool(self.origins) and "*" not in self.origins
        return (b"Accept-Encoding", *((b"Origin",) if by_origin else ()))

    def find(self, path: str) -> Address | None:
        """Addresses without a variable part come first, as they do in the router."""
        found = self._any.fullmatch(path)
        return None if found is None or found.lastindex is None else self.known[found.lastindex - 1]

    def key(
        self, address: Address, path: str, query: bytes, accept_language: bytes, origin: bytes
    ) -> Key | None:
        """None for a request whose key would be too long."""
        if len(query) > 4 * LONGEST:
            return None
        chosen: dict[str, str] = {}
        if query:
            given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
            chosen = {name: given[name] for name in sorted(given) if name in address.parameters}
        languages = ""
        if "lang" in address.parameters and not chosen.get("lang"):
            chosen.pop("lang", None)
            languages = ", ".join(wishes(accept_language.decode("latin-1")))
        key = Key(
            path,
            urlencode(chosen) if chosen else "",
            languages,
            self._origin(origin.decode("latin-1")),
        )
        return key if sum(map(len, key)) <= LONGEST else None

    def _origin(self, origin: str) -> str:
        """Origins that are not let in get what a request without one gets."""
        if not origin:
            return ""
        if "*" in self.origins:
            return "*"
        return origin if origin in self.origins else ""


def _parameters(dependant: Dependant) -> Iterator[str]:
    """Names in the query, of the route and of what it depends on."""
    yield from (each.alias for each in dependant.query_params)
    for each in dependant.dependencies:
        yield from _parameters(each)


def encoding(accept_encoding: bytes) -> str:
    """GZIP where it is accepted (RFC 9110 §12.5.3), else PLAIN."""
    best: dict[str, float] = {}
    for item in accept_encoding.decode("latin-1").lower().split(",")[:20]:
        name, _, parameters = item.partition(";")
        quality = parameters.replace(" ", "").removeprefix("q=") or "1"
        try:
            best[name.strip()] = float(quality)
        except ValueError:
            continue
    return GZIP if best.get("gzip", best.get("x-gzip", best.get("*", 0.0))) > 0 else PLAIN
