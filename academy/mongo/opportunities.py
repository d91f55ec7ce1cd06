"""Opportunities. Days are kept as ISO 8601 text, whose order is the order of days."""

from __future__ import annotations

from datetime import date
from typing import Any

from pymongo import ReturnDocument

from academy.errors import NotFound, PreconditionFailed
from academy.mongo.client import (
    Database,
    Document,
    from_document,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.mongo.paging import after_key, fetch_page, text_of
from academy.opportunities import Opportunity, OpportunityKind
from academy.store_values import Changes, Page, Position

_NONE = "There is no such opportunity."


def _build(document: Document) -> Opportunity:
    return from_document(Opportunity, document)


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) and name == "closes_on" else value
        for name, value in fields.items()
    }


@unavailable_when_down
class MongoOpportunityStore:
    """Implements `academy.learner_stores.OpportunityStore`."""

    def __init__(self, database: Database) -> None:
        self._opportunities = database.opportunities

    async def get(self, opportunity_id: str) -> Opportunity:
        document = await self._opportunities.find_one({"_id": opportunity_id})
        if document is None:
            raise NotFound(_NONE)
        return _build(document)

    async def list(
        self,
        *,
        open_on: date,
        programme: str | None,
        kind: OpportunityKind | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Opportunity]:
        where: Document = {"closes_on": {"$gte": open_on.isoformat()}}
        if after is not None:
            end = max(text_of(after, "closes_on"), open_on.isoformat())
            where |= after_key("closes_on", 1, end, text_of(after, "id"))
        if programme is not None:
            where["programmes"] = programme
        if kind is not None:
            where["kind"] = kind.value
        return await fetch_page(
            self._opportunities,
            where,
            [("closes_on", 1), ("_id", 1)],
            limit=limit,
            build=_build,
            position=lambda last: {"closes_on": last["closes_on"], "id": last["_id"]},
        )

    async def add(self, opportunity: Opportunity) -> None:
        await self._opportunities.insert_one(_fields(to_document(opportunity)))

    async def change(self, opportunity_id: str, changes: Changes) -> Opportunity:
        document = await self._opportunities.find_one_and_update(
            {"_id": opportunity_id, "revision": changes.revision},
            {"$set": _fields(plain(changes.fields)), "$inc": {"revision": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            await self.get(opportunity_id)  # NotFound says more
            raise PreconditionFailed
        return _build(document)

    async def delete(self, opportunity_id: str) -> None:
        if not (await self._opportunities.delete_one({"_id": opportunity_id})).deleted_count:
            raise NotFound(_NONE)
