"""Media and the receipts of their segments. Written by jobs and journals; read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from academy.errors import Conflict, NotFound
from academy.media import Media, Publication, Receipt
from academy.mongo.client import Database, Document, from_document, plain, unavailable_when_down


@unavailable_when_down
class MongoMediaStore:
    """Implements `academy.recording_stores.MediaStore`."""

    def __init__(self, database: Database) -> None:
        self._media = database.media
        self._receipts = database.receipts

    async def get(self, media_id: str) -> Media:
        document = await self._media.find_one({"_id": media_id})
        if document is None:
            raise NotFound("There are no such media.")
        return from_document(Media, document)

    async def receipts(
        self, media_id: str, *, since: Mapping[str, int] | None = None
    ) -> Sequence[Receipt]:
        wanted: Document = {"media_id": media_id}
        if since is not None:
            wanted["$or"] = [
                {"track": track, "number": {"$gte": number}} for track, number in since.items()
            ]
        cursor = self._receipts.find(wanted, {"_id": 0}, sort=[("track", 1), ("number", 1)])
        return [Receipt.model_validate(document) async for document in cursor]

    async def revise(self, media_id: str, publication: Publication) -> None:
        revised = await self._media.update_one(
            {"_id": media_id, "publication.revision": publication.revision - 1},
            {"$set": {"publication": plain(publication)}},
        )
        if not revised.matched_count:
            raise Conflict("These media were published in another revision meanwhile.")
