"""What every document store speaks of: pages, positions in them, guarded changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Position = Mapping[str, Any]
"""Where a page ended: the sort key's values as JSON. `api/paging.py` turns it into a cursor."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next: Position | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """A guarded partial update: sets `fields` if the document still has `revision`, and adds 1 to it."""

    revision: int
    fields: Mapping[str, Any] = field(default_factory=dict)
