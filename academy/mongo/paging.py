"""Keyset pages: the next one starts after the last item's sort key, at any depth in the same time.

The bounded form `{key: {$lte: x}, $or: [{key: {$lt: x}}, {_id: {$gt: y}}]}` lets the index seek; a
bare `$or` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from pymongo import ASCENDING
from pymongo.collation import Collation

from academy.errors import BadCursor
from academy.mongo.client import Collection, Document
from academy.store_values import Page, Position, T

Direction = Literal[1, -1]


def after_key(field: str, direction: Direction, value: Any, last_id: str) -> Document:
    """The filter for what comes after (`value`, `last_id`); equal values go by ascending `_id`."""
    bound, beyond = ("$gte", "$gt") if direction == ASCENDING else ("$lte", "$lt")
    return {
        field: {bound: value},
        "$or": [{field: {beyond: value}}, {"_id": {"$gt": last_id}}],
    }


async def fetch_page(
    collection: Collection,
    where: Document,
    sort: Sequence[tuple[str, int]],
    *,
    limit: int,
    build: Callable[[Document], T],
    position: Callable[[Document], Position],
    collation: Collation | None = None,
) -> Page[T]:
    """Reads one document more than asked, to know whether there is another page."""
    cursor = collection.find(where, sort=list(sort), limit=limit + 1, collation=collation)
    documents = await cursor.to_list()
    shown = documents[:limit]
    more = len(documents) > limit
    return Page(
        items=[build(document) for document in shown], next=position(shown[-1]) if more else None
    )


def text_of(position: Position, name: str) -> str:
    value = position.get(name)
    if not isinstance(value, str):
        raise BadCursor
    return value


def number_of(position: Position, name: str) -> int:
    value = position.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadCursor
    return value


def instant_of(position: Position, name: str) -> datetime:
    try:
        value = datetime.fromisoformat(text_of(position, name))
    except ValueError as error:
        raise BadCursor from error
    if value.tzinfo is None:
        raise BadCursor
    return value
