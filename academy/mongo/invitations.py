"""Invitations. One is used by one upload at a time: the guard is its own document."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReturnDocument

from academy.errors import Conflict, NotFound
from academy.invitations import Invitation
from academy.mongo.client import (
    Database,
    from_document,
    to_document,
    unavailable_when_down,
)


@unavailable_when_down
class MongoInvitationStore:
    """Implements `academy.recording_stores.InvitationStore`."""

    def __init__(self, database: Database) -> None:
        self._invitations = database.invitations

    async def add(self, invitation: Invitation) -> None:
        await self._invitations.insert_one(to_document(invitation))

    async def get(self, invitation_id: str) -> Invitation:
        document = await self._invitations.find_one({"_id": invitation_id})
        if document is None:
            raise NotFound("There is no such invitation.")
        return from_document(Invitation, document)

    async def of(self, lecture_id: str) -> Sequence[Invitation]:
        cursor = self._invitations.find(
            {"lecture_id": lecture_id}, sort=[("created_at", -1), ("_id", 1)], limit=200
        )
        return [from_document(Invitation, document) async for document in cursor]

    async def revoke(self, invitation_id: str) -> None:
        await self._invitations.update_one(
            {"_id": invitation_id, "revoked_at": None}, [{"$set": {"revoked_at": "$$NOW"}}]
        )

    async def use(self, invitation_id: str, upload_id: str) -> Invitation:
        document = await self._invitations.find_one_and_update(
            {"_id": invitation_id, "revoked_at": None, "used_by": {"$in": [None, upload_id]}},
            {"$set": {"used_by": upload_id}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise Conflict(
                "This invitation was used for another upload, or revoked.", code="invitation_used"
            )
        return from_document(Invitation, document)

    async def release(self, invitation_id: str, upload_id: str) -> None:
        await self._invitations.update_one(
            {"_id": invitation_id, "used_by": upload_id}, {"$set": {"used_by": None}}
        )
