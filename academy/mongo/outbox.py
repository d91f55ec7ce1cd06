"""The outbox: events written in the transaction of the change they tell of.

`pending` until they were fanned out to the endpoints that want them (`academy/mongo/webhooks.py`).
A TTL index removes them after `KEPT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from academy.events import Event, EventKind
from academy.mongo.client import Database, Document, Session, to_document

KEPT: Final = timedelta(days=30)


def event_document(kind: EventKind, data: Mapping[str, Any]) -> Document:
    return {**to_document(Event(kind=kind, data=dict(data))), "pending": True}


class MongoEventOutbox:
    """Implements `academy.stores.EventOutbox`."""

    def __init__(self, database: Database) -> None:
        self._events = database.events

    async def add(self, kind: EventKind, data: Mapping[str, Any], session: Session) -> None:
        await self._events.insert_one(event_document(kind, data), session=session)
