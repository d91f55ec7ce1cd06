"""Uploads: their guarded moves open -> completing -> completed, or aborted, or expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pymongo import ReturnDocument

from academy.correlation import request_id
from academy.errors import Conflict, NotFound
from academy.jobs import Job, due
from academy.mongo.client import (
    Database,
    Document,
    Session,
    from_document,
    in_transaction,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.recordings import Recording
from academy.tracing import traceparent
from academy.uploads import Part, Upload, UploadState


def _build(document: Document) -> Upload:
    return from_document(Upload, document)


def _told_by(parts: Sequence[Part]) -> Document:
    """What an upload without a plan is known by only now."""
    if not parts:
        return {}
    unplanned: Document = {"$eq": ["$part_size", 0]}
    told = {"size": sum(part.size for part in parts), "part_count": len(parts)}
    return {name: {"$cond": [unplanned, value, f"${name}"]} for name, value in told.items()}


@unavailable_when_down
class MongoUploadStore:
    """Implements `academy.recording_stores.UploadStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._uploads = database.uploads

    async def begin(self, lecture_id: str) -> int:
        """NotFound without the lecture."""
        lecture = await self._database.lectures.find_one_and_update(
            {"_id": lecture_id},
            {"$inc": {"uploads_begun": 1}},
            projection={"uploads_begun": 1},
            return_document=ReturnDocument.AFTER,
        )
        if lecture is None:
            raise NotFound("There is no such lecture.")
        number: int = lecture["uploads_begun"]
        return number

    async def add(self, upload: Upload) -> None:
        await self._uploads.insert_one(to_document(upload))

    async def get(self, upload_id: str) -> Upload:
        document = await self._uploads.find_one({"_id": upload_id})
        if document is None:
            raise NotFound("There is no such upload.")
        return _build(document)

    async def arriving(self, upload_id: str, parts: Sequence[Part]) -> Upload:
        document = await self._uploads.find_one_and_update(
            {"_id": upload_id, "state": UploadState.OPEN.value, "part_size": 0},
            {"$set": {"size": sum(part.size for part in parts), "part_count": len(parts)}},
            return_document=ReturnDocument.AFTER,
        )
        return await self.get(upload_id) if document is None else _build(document)

    async def completing(self, upload_id: str, parts: Sequence[Part]) -> Upload:
        document = await self._uploads.find_one_and_update(
            {"_id": upload_id, "state": UploadState.OPEN.value},
            [
                {
                    "$set": {
                        "state": UploadState.COMPLETING.value,
                        "parts": {"$literal": plain(parts)},
                        **_told_by(parts),
                        "completing_since": "$$NOW",
                    }
                }
            ],
            return_document=ReturnDocument.AFTER,
        )
        return self._past_open(await self.get(upload_id)) if document is None else _build(document)

    @staticmethod
    def _past_open(upload: Upload) -> Upload:
        if upload.state in {UploadState.ABORTED, UploadState.EXPIRED}:
            raise Conflict(f"This upload is {upload.state.value}: begin a new one.")
        return upload

    async def completed(self, upload: Upload) -> Recording:
        """Conflict when the upload is not `completing`; NotFound when its lecture was deleted."""

        async def work(session: Session) -> Recording:
            moved = await self._uploads.find_one_and_update(
                {"_id": upload.id, "state": UploadState.COMPLETING.value},
                [{"$set": {"state": UploadState.COMPLETED.value, "completed_at": "$$NOW"}}],
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if moved is None:
                return await self._made_from(upload.id, session)
            if not await self._database.lectures.find_one(
                {"_id": upload.lecture_id}, {"_id": 1}, session=session
            ):
                raise NotFound("The lecture of this upload was deleted.")
            stored = _build(moved)
            recording = Recording(
                id=stored.recording_id,
                lecture_id=stored.lecture_id,
                upload_id=stored.id,
                number=stored.number,
                filename=stored.filename,
                size=stored.size,
                key=stored.key,
            )
            job = Job(
                recording_id=recording.id,
                lecture_id=stored.lecture_id,
                number=stored.number,
                instructor=stored.created_by,
                request_id=request_id.get(),
                traceparent=traceparent(),
            )
            job = job.model_copy(update={"due": due(job.created_at, stored.size)})
            await self._database.recordings.insert_one(to_document(recording), session=session)
            await self._database.jobs.insert_one(
                {**to_document(job), "ordinal": 1, "handed_back": 0}, session=session
            )
            return recording

        try:
            return await in_transaction(self._database, work)
        except NotFound:
            await self._uploads.update_one(
                {"_id": upload.id, "state": UploadState.COMPLETING.value},
                {"$set": {"state": UploadState.ABORTED.value, "cleaned": False}},
            )
            raise

    async def _made_from(self, upload_id: str, session: Session) -> Recording:
        document = await self._database.recordings.find_one(
            {"upload_id": upload_id}, session=session
        )
        if document is not None:
            return from_document(Recording, document)
        stored = await self._uploads.find_one({"_id": upload_id}, {"state": 1}, session=session)
        if stored is None:
            raise NotFound("There is no such upload.")
        raise Conflict(f"This upload is {stored['state']}, not being completed.")

    async def end(self, upload_id: str, *, expired: bool) -> Upload:
        """Repeatable: one that already ended so, or otherwise without completing, stays as it is."""
        ended = UploadState.EXPIRED if expired else UploadState.ABORTED
        document = await self._uploads.find_one_and_update(
            {"_id": upload_id, "state": UploadState.OPEN.value},
            {"$set": {"state": ended.value, "cleaned": False}},
            return_document=ReturnDocument.AFTER,
        )
        if document is not None:
            return _build(document)
        upload = await self.get(upload_id)
        if upload.state in {UploadState.COMPLETING, UploadState.COMPLETED}:
            raise Conflict("This upload is complete: delete the lecture instead.")
        return upload

    async def unfinished(self, *, older_than: timedelta) -> Sequence[Upload]:
        milliseconds = older_than / timedelta(milliseconds=1)
        cursor = self._uploads.find(
            {
                "state": UploadState.COMPLETING.value,
                "$expr": {
                    "$lte": ["$completing_since", {"$subtract": ["$$NOW", round(milliseconds)]}]
                },
            }
        )
        return [_build(document) async for document in cursor]

    async def overdue(self) -> Sequence[Upload]:
        cursor = self._uploads.find(
            {"state": UploadState.OPEN.value, "$expr": {"$lte": ["$expires_at", "$$NOW"]}}
        )
        return [_build(document) async for document in cursor]

    async def reopen(self, upload_id: str) -> Upload:
        document = await self._uploads.find_one_and_update(
            {"_id": upload_id, "state": UploadState.COMPLETING.value},
            {"$set": {"state": UploadState.OPEN.value, "parts": []}},
            return_document=ReturnDocument.AFTER,
        )
        return await self.get(upload_id) if document is None else _build(document)

    async def leftovers(self) -> Sequence[Upload]:
        return [_build(document) async for document in self._uploads.find({"cleaned": False})]

    async def cleaned(self, upload_id: str) -> None:
        await self._uploads.update_one(
            {"_id": upload_id, "cleaned": False}, {"$unset": {"cleaned": 1}}
        )

    async def open_of(self, subject: str) -> Sequence[Upload]:
        cursor = self._uploads.find({"created_by": subject, "state": UploadState.OPEN.value})
        return [_build(document) async for document in cursor]

    async def open_for(self, lecture_id: str) -> Sequence[Upload]:
        cursor = self._uploads.find(
            {"lecture_id": lecture_id, "state": UploadState.OPEN.value},
            sort=[("number", -1)],
            limit=20,
        )
        return [_build(document) async for document in cursor]
