"""Recordings: inserted by the completion of their upload, inspected under a job's lease."""

from __future__ import annotations

from academy.errors import NotFound
from academy.mongo.client import Database, from_document, unavailable_when_down
from academy.recordings import Recording


@unavailable_when_down
class MongoRecordingStore:
    """Implements `academy.recording_stores.RecordingStore`."""

    def __init__(self, database: Database) -> None:
        self._recordings = database.recordings

    async def get(self, recording_id: str) -> Recording:
        document = await self._recordings.find_one({"_id": recording_id})
        if document is None:
            raise NotFound("There is no such recording.")
        return from_document(Recording, document)

    async def newest(self, lecture_id: str) -> Recording | None:
        document = await self._recordings.find_one(
            {"lecture_id": lecture_id}, sort=[("number", -1)]
        )
        return None if document is None else from_document(Recording, document)
