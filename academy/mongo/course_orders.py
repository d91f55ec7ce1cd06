"""The orders in which courses are listed: filter, sort and the position where a page ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymongo.collation import Collation

from academy.catalogue_stores import CourseFilter
from academy.courses import CourseOrder
from academy.mongo.client import Document
from academy.mongo.indexes import EPOCH, PUBLISHED, TITLE_LANGUAGES, title_collation
from academy.mongo.paging import after_key, instant_of, number_of, text_of
from academy.store_values import Position


@dataclass(frozen=True, slots=True)
class Slice:
    """One page's query, served by an index of `indexes.py` at any depth."""

    where: Document
    sort: Sequence[tuple[str, int]]
    position: Callable[[Document], Position]
    """Of a document that has the members it was sorted by; its slug is `slug`."""
    collation: Collation | None = None


def published(
    where: CourseFilter, order: CourseOrder, after: Position | None, language: str
) -> Slice:
    """Titles sort by the collation of `language` where it is one of TITLE_LANGUAGES, else by English's.

    Raises BadCursor for a position that is none of this order's.
    """
    selected = {**_filter(where), **PUBLISHED}
    if order is CourseOrder.NEWEST:
        if after is not None:
            end = instant_of(after, "published_at")
            selected |= after_key("published_at", -1, end, text_of(after, "slug"))
            selected["published_at"]["$gt"] = EPOCH
        return Slice(selected, [("published_at", -1), ("_id", 1)], _instant("published_at"))
    if order is CourseOrder.POPULAR:
        if after is not None:
            selected |= after_key("views", -1, number_of(after, "views"), text_of(after, "slug"))
        return Slice(
            selected,
            [("views", -1), ("_id", 1)],
            lambda last: {"views": last["views"], "slug": last["slug"]},
        )
    tongue = language.split("-", maxsplit=1)[0].lower()
    tongue = tongue if tongue in TITLE_LANGUAGES else "en"
    key = f"title_keys.{tongue}"
    if after is not None:
        selected |= after_key(key, 1, text_of(after, "title"), text_of(after, "slug"))
    return Slice(
        selected,
        [(key, 1), ("_id", 1)],
        lambda last: {"title": last["title_keys"][tongue], "slug": last["slug"]},
        title_collation(tongue),
    )


def taught(subject: str, profiles: Sequence[str], after: Position | None) -> Slice:
    """Owned by an account or taught by its profiles, newest first."""
    mine: Document = {"$or": [{"owner": subject}, {"instructors": {"$in": [*profiles]}}]}
    if after is not None:
        end = instant_of(after, "created_at")
        mine = {"$and": [mine, after_key("created_at", -1, end, text_of(after, "slug"))]}
    return Slice(mine, [("created_at", -1), ("_id", 1)], _instant("created_at"))


def _instant(member: str) -> Callable[[Document], Position]:
    return lambda last: {member: last[member].isoformat(), "slug": last["slug"]}


def _filter(where: CourseFilter) -> Document:
    wanted = {
        "universities": where.university,
        "programme": where.programme,
        "instructors": where.instructor,
        "level": where.level,
        "language": where.language,
    }
    return {name: value for name, value in wanted.items() if value is not None}
