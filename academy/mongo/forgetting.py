"""Erasures, told to every process that holds unwritten heartbeats.

One per process. Order makes it safe: an erasure leaves its note first and deletes then; a process writes its batch first
and looks for notes then. Whichever comes later removes what the other wrote.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from academy.ids import new_id
from academy.mongo.client import Database

KEPT: Final = timedelta(minutes=10)
"""Longer than a heartbeat waits anywhere; a TTL index removes the note, which names the subject."""


class Forgetting:
    def __init__(self, database: Database) -> None:
        self._erasures = database.erasures
        self._seen: set[str] | None = None
        self._own: set[str] = set()

    async def note(self, subject: str) -> None:
        """For the other processes: this one has dropped what it held before it erases."""
        mark = new_id()
        self._own.add(mark)
        await self._erasures.update_one(
            {"_id": mark},
            [{"$set": {"subject": {"$literal": subject}, "at": "$$NOW"}}],
            upsert=True,
        )

    async def newly_erased(self) -> set[str]:
        """Subjects erased since the last call of this process; at its first one, in the last seconds."""
        cursor = self._erasures.find({}, {"subject": 1, "lately": _LATELY})
        found = await cursor.to_list()
        if self._seen is None:
            new = [note for note in found if note["lately"]]
        else:
            new = [note for note in found if note["_id"] not in self._seen]
        new = [note for note in new if note["_id"] not in self._own]
        self._seen = {note["_id"] for note in found}
        return {note["subject"] for note in new}


_LATELY: Final = {"$gt": ["$at", {"$subtract": ["$$NOW", 5_000]}]}
