"""Endpoints, and deliveries to them.

An event in the outbox is fanned out once, in one transaction: a delivery for each endpoint that wants
it, and the event is no longer pending. A delivery is claimed by moving its `due_at` past the claim's
end, so that one whose process died is sent by another: receivers may see a message twice, never none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pymongo import ReturnDocument

from academy.errors import Conflict, NotFound, PreconditionFailed
from academy.events import Event
from academy.ids import new_id
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
from academy.mongo.paging import after_key, fetch_page, instant_of, text_of
from academy.store_values import Changes, Page, Position
from academy.webhooks import Delivery, DeliveryState, Endpoint, Outcome

CLAIM: Final = timedelta(seconds=60)
"""Longer than an attempt may take."""
_NEWEST: Final = [("created_at", -1), ("_id", 1)]
CHANGEABLE: Final = frozenset(Endpoint.model_fields) - {
    "id",
    "created_by",
    "created_at",
    "revision",
}


def _endpoint(document: Document) -> Endpoint:
    return from_document(Endpoint, document)


def _delivery(document: Document) -> Delivery:
    return from_document(Delivery, document)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _place(document: Document) -> Position:
    return {"at": document["created_at"].isoformat(), "id": document["_id"]}


def _after(position: Position | None) -> Document:
    if position is None:
        return {}
    return after_key("created_at", -1, instant_of(position, "at"), text_of(position, "id"))


@unavailable_when_down
class MongoWebhookStore:
    """Implements `academy.stores.WebhookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = database.events
        self._endpoints = database.webhooks
        self._deliveries = database.deliveries

    async def get(self, endpoint_id: str) -> Endpoint:
        document = await self._endpoints.find_one({"_id": endpoint_id})
        if document is None:
            raise NotFound("There is no such webhook.")
        return _endpoint(document)

    async def list(self, *, limit: int, after: Position | None = None) -> Page[Endpoint]:
        return await fetch_page(
            self._endpoints,
            _after(after),
            _NEWEST,
            limit=limit,
            build=_endpoint,
            position=_place,
        )

    async def add(self, endpoint: Endpoint) -> None:
        await self._endpoints.insert_one(to_document(endpoint))

    async def change(self, endpoint_id: str, changes: Changes) -> Endpoint:
        unknown = set(changes.fields) - CHANGEABLE
        if unknown:
            raise ValueError(f"a change of a webhook may not set {sorted(unknown)}")
        update: Document = {"$inc": {"revision": 1}}
        if changes.fields:
            update["$set"] = plain(changes.fields)
        document = await self._endpoints.find_one_and_update(
            {"_id": endpoint_id, "revision": changes.revision},
            update,
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            await self.get(endpoint_id)  # NotFound says more
            raise PreconditionFailed
        return _endpoint(document)

    async def delete(self, endpoint_id: str) -> None:
        async def work(session: Session) -> None:
            gone = await self._endpoints.delete_one({"_id": endpoint_id}, session=session)
            if not gone.deleted_count:
                raise NotFound("There is no such webhook.")
            await self._deliveries.delete_many({"endpoint_id": endpoint_id}, session=session)

        await in_transaction(self._database, work)

    async def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery:
        document = await self._deliveries.find_one({"_id": delivery_id, "endpoint_id": endpoint_id})
        if document is None:
            raise NotFound("There is no such delivery: they are kept for 30 days.")
        return _delivery(document)

    async def deliveries(
        self,
        endpoint_id: str,
        *,
        state: DeliveryState | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Delivery]:
        where: Document = {"endpoint_id": endpoint_id, **_after(after)}
        if state is not None:
            where["state"] = state.value
        return await fetch_page(
            self._deliveries, where, _NEWEST, limit=limit, build=_delivery, position=_place
        )

    async def enqueue(self, endpoint_id: str, event: Event) -> Delivery:
        delivery = Delivery(endpoint_id=endpoint_id, event=event)
        await self._deliveries.insert_one(to_document(delivery))
        return delivery

    async def replay(self, endpoint_id: str, delivery_id: str) -> Delivery:
        document = await self._deliveries.find_one_and_update(
            {
                "_id": delivery_id,
                "endpoint_id": endpoint_id,
                "state": {"$ne": DeliveryState.PENDING.value},
            },
            [
                {
                    "$set": {
                        "state": DeliveryState.PENDING.value,
                        "attempts": 0,
                        "due_at": "$$NOW",
                        "claim": None,
                    }
                }
            ],
            return_document=ReturnDocument.AFTER,
        )
        if document is not None:
            return _delivery(document)
        await self.delivery(endpoint_id, delivery_id)
        raise Conflict("This delivery is under way already.")

    async def fan_out(self) -> bool:
        async def work(session: Session) -> bool:
            event = await self._events.find_one_and_update(
                {"pending": True},
                {"$set": {"pending": False}},
                sort=[("occurred_at", 1)],
                session=session,
            )
            if event is None:
                return False
            wanting = self._endpoints.find(
                {"enabled": True, "events": event["kind"]}, {"_id": 1}, session=session
            )
            told = from_document(Event, event)
            made = [
                to_document(Delivery(endpoint_id=each["_id"], event=told)) async for each in wanting
            ]
            if made:
                await self._deliveries.insert_many(made, session=session)
            return True

        # Outside a transaction first: most of the time there is nothing to do.
        if await self._events.find_one({"pending": True}, {"_id": 1}) is None:
            return False
        return await in_transaction(self._database, work)

    async def claim(self) -> tuple[Delivery, Endpoint] | None:
        document = await self._deliveries.find_one_and_update(
            {"state": DeliveryState.PENDING.value, "$expr": {"$lte": ["$due_at", "$$NOW"]}},
            [
                {
                    "$set": {
                        "attempts": {"$add": ["$attempts", 1]},
                        "attempted_at": "$$NOW",
                        "due_at": {"$add": ["$$NOW", _milliseconds(CLAIM)]},
                        "claim": new_id(),
                    }
                }
            ],
            sort=[("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            return None
        delivery = _delivery(document)
        endpoint = await self._endpoints.find_one({"_id": delivery.endpoint_id})
        if endpoint is None:  # deleted this moment, and its deliveries with it
            return None
        return delivery, _endpoint(endpoint)

    async def settle(
        self, delivery: Delivery, outcome: Outcome, again_in: timedelta | None
    ) -> None:
        fields: dict[str, Any] = {"claim": None, "status": outcome.status}
        fields["error"] = {"$literal": outcome.error}
        if outcome.error is None:
            fields["state"] = DeliveryState.DELIVERED.value
        elif again_in is None:
            fields["state"] = DeliveryState.FAILED.value
        else:
            fields["due_at"] = {"$add": ["$$NOW", _milliseconds(again_in)]}
        await self._deliveries.update_one(self._claimed(delivery), [{"$set": fields}])

    async def hand_back(self, delivery: Delivery) -> None:
        fields = {
            "claim": None,
            "due_at": "$$NOW",
            "attempts": {"$subtract": ["$attempts", 1]},
        }
        await self._deliveries.update_one(self._claimed(delivery), [{"$set": fields}])

    async def switch_off(self, endpoint_id: str, because: str) -> None:
        await self._endpoints.update_one(
            {"_id": endpoint_id, "enabled": True},
            {"$set": {"enabled": False, "disabled_because": because}, "$inc": {"revision": 1}},
        )

    @staticmethod
    def _claimed(delivery: Delivery) -> Document:
        return {
            "_id": delivery.id,
            "state": DeliveryState.PENDING.value,
            "claim": delivery.claim,
        }
