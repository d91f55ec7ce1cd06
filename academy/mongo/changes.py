"""One change stream over everything that public answers are made from, for one listener per process.

It is read without a pause: the server holds each read for `AWAIT_MILLISECONDS` at most, so that the
listener hears several times a second that nothing happened, and can tell silence from loss. The server
sends only what readers can see: progress, leases, heartbeats and the stores' own bookkeeping never
leave it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import PyMongoError

from academy.catalogue import mark
from academy.catalogue_stores import ChangeListener
from academy.mongo.client import Database, Document

log = logging.getLogger(__name__)

PUBLIC: Final = (
    "courses",
    "instructors",
    "lectures",
    "media",
    "opportunities",
    "programmes",
    "universities",
)
UNSEEN: Final = ("enrolments_made", "lectures_added", "lectures_moved", "views")
"""Members that no answer shows. (`views` orders a list, which may be a minute late for that.)"""
AWAIT_MILLISECONDS: Final = 200
REOPEN_SECONDS: Final = 0.2
ENDING_SECONDS: Final = 5.0
"""For a read to end when there is a server that neither answers nor goes away."""

_UPDATED: Final[Document] = {
    "$map": {
        "input": {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}},
        "in": "$$this.k",
    }
}
_SEEN: Final[Document] = {
    "$or": [
        {"$ne": ["$operationType", "update"]},
        {"$ne": [{"$ifNull": ["$updateDescription.removedFields", []]}, []]},
        {"$ne": [{"$ifNull": ["$updateDescription.truncatedArrays", []]}, []]},
        {"$not": {"$setIsSubset": [_UPDATED, list(UNSEEN)]}},
    ]
}
_DOCUMENTS: Final = ("insert", "update", "replace", "delete")
PIPELINE: Final[list[Mapping[str, Any]]] = [
    {
        "$match": {
            "$or": [
                {"ns.coll": {"$in": list(PUBLIC)}, "$expr": _SEEN},
                {"operationType": {"$nin": list(_DOCUMENTS)}},
            ]
        }
    },
    {"$project": {"operationType": 1, "ns": 1, "documentKey": 1}},
]


class MongoPublicChanges:
    """Implements `academy.catalogue_stores.PublicChanges`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.asynccontextmanager
    async def told_to(self, listener: ChangeListener) -> AsyncIterator[None]:
        """Goes on opening the stream until one can be opened; enters at once."""
        ending = asyncio.Event()
        task = asyncio.create_task(self._follow(listener, ending), name="public changes")
        try:
            yield
        finally:
            # Ended by asking: a read that is cancelled within the driver may leave its cursor on the
            # server (see `feed.py`).
            ending.set()
            done, _ = await asyncio.wait([task], timeout=ENDING_SECONDS)
            if not done:
                task.cancel()
                await asyncio.wait([task], timeout=ENDING_SECONDS)

    async def _follow(self, listener: ChangeListener, ending: asyncio.Event) -> None:
        while not ending.is_set():
            try:
                async with await self._database.watch(
                    PIPELINE, max_await_time_ms=AWAIT_MILLISECONDS
                ) as stream:
                    listener.opened()
                    await _tell(stream, listener, ending)
            except PyMongoError as error:
                log.warning("the stream of public changes was lost and is opened again: %s", error)
            listener.lost()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REOPEN_SECONDS):
                    await ending.wait()


async def _tell(
    stream: AsyncChangeStream[Document], listener: ChangeListener, ending: asyncio.Event
) -> None:
    """Until asked to end, or the stream ends (its database was dropped)."""
    while not ending.is_set() and stream.alive:
        change = await stream.try_next()
        if change is None:
            listener.heard()
        elif change["operationType"] in _DOCUMENTS:
            collection = change["ns"]["coll"]
            listener.changed((collection, mark(collection, str(change["documentKey"]["_id"]))))
            listener.heard()
        else:
            listener.opened()  # a collection was dropped or renamed: nothing known is true
