"""Everything kept under one learner's subject: handed out, and erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bson.max_key import MaxKey

from academy.mongo.client import Database, unavailable_when_down
from academy.mongo.forgetting import Forgetting

_KINDS: Final = ("enrolments", "progress", "certificates")


@unavailable_when_down
class MongoPersonalDataStore:
    """Implements `academy.learner_stores.PersonalDataStore`."""

    def __init__(self, database: Database, forgetting: Forgetting) -> None:
        self._database = database
        self._forgetting = forgetting

    async def export(self, subject: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for kind in _KINDS:
            documents = await self._database[kind].find({"subject": subject}).to_list()
            found[kind] = [_told(document) for document in documents]
        return found

    async def erase(self, subject: str, *, keep_certificates: bool) -> None:
        await self._forgetting.note(subject)
        mine = {"subject": subject}
        if keep_certificates:
            await self._database.certificates.update_many(mine, {"$set": {"subject": None}})
        else:
            await self._database.certificates.delete_many(mine)
        await self._database.enrolments.delete_many(mine)
        await self._database.progress.delete_many(mine)
        # Answers kept for repeated requests hold copies of what is erased here.
        answers = {"$gte": {"subject": subject}, "$lte": {"subject": subject, "key": MaxKey()}}
        await self._database.idempotency.delete_many({"_id": answers})
        # First the events, then the copies of them that go to receivers: an event that is being fanned
        # out meanwhile makes this update wait for its copies, and later ones have nothing left to copy.
        for collection, member in (
            ("events", "data.subject"),
            ("deliveries", "event.data.subject"),
        ):
            await self._database[collection].update_many(
                {member: subject}, {"$set": {member: None}}
            )


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the database's own key, unless it is a certificate's code."""
    told = {name: value for name, value in document.items() if name not in {"_id", "subject"}}
    key = document["_id"]
    return {"code": key, **told} if isinstance(key, str) else told
