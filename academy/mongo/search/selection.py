"""A query as filters, in the order in which their hits are shown.

Whole words before words that only begin so; titles before everything else; courses, lectures, moments.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from academy.mongo.client import Document
from academy.search.entries import Kind
from academy.search.query import Query

ENTRIES: Final = (Kind.COURSE, Kind.LECTURE)


@dataclass(frozen=True, slots=True)
class Tier:
    """Hits of equal merit; within them courses come first, then what is watched more."""

    name: str
    kinds: tuple[Kind, ...]
    where: Document

    @property
    def moments(self) -> bool:
        return self.kinds == (Kind.MOMENT,)


def tiers(
    query: Query, continued: Collection[str], kinds: Collection[Kind], language: str | None
) -> Iterator[Tier]:
    """`continued`: terms of the words that begin with what is being typed."""
    entries = tuple(kind for kind in ENTRIES if kind in kinds)
    narrow: list[Document] = [{"folded": {"$regex": re.escape(each)}} for each in query.phrases]
    if language is not None:
        narrow.append({"language": language})
    title, anywhere = _whole(query, "title"), _whole(query, "terms")
    begun_title = _begun(query, continued, "title")
    begun = _begun(query, continued, "terms")
    if entries:
        yield Tier("title", entries, _but(title, narrow, []))
        yield Tier("text", entries, _but(anywhere, narrow, [title]))
        if continued:
            yield Tier("title begun", entries, _but(begun_title, narrow, [anywhere]))
            yield Tier("text begun", entries, _but(begun, narrow, [anywhere, begun_title]))
    if Kind.MOMENT in kinds:
        yield Tier("moments", (Kind.MOMENT,), _but(anywhere, narrow, []))
        if continued:
            yield Tier("moments begun", (Kind.MOMENT,), _but(begun, narrow, [anywhere]))


def _whole(query: Query, field: str) -> list[Document]:
    return [{field: _one_of(word.terms)} for word in query.words]


def _begun(query: Query, continued: Collection[str], field: str) -> list[Document]:
    return [*_whole(query, field)[:-1], {field: _one_of(continued)}]


def _one_of(terms: Collection[str]) -> Any:
    return {"$in": sorted(terms)} if len(terms) > 1 else next(iter(terms), None)


def _but(wanted: list[Document], narrow: list[Document], unlike: list[list[Document]]) -> Document:
    """All of `wanted` and `narrow`, and none of what an earlier tier showed."""
    filters = [*wanted, *narrow]
    if unlike:
        filters.append({"$nor": [{"$and": each} for each in unlike]})
    return {"$and": filters}
