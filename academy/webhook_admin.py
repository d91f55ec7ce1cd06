"""Webhooks as administrators manage them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from academy.access import Access
from academy.courses import now
from academy.errors import FieldError, Invalid
from academy.events import Event, EventKind
from academy.keys import KeyRing
from academy.patching import Expected, check, merge, rewrite
from academy.store_values import Changes, Page, Position
from academy.stores import WebhookStore
from academy.webhook_targets import ForbiddenTarget, Targets
from academy.webhooks import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointPatch,
    NewEndpoint,
    secret_text,
)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Every method raises Unauthenticated or Forbidden for anybody but an administrator."""

    access: Access
    keys: KeyRing
    targets: Targets

    @property
    def _store(self) -> WebhookStore:
        return self.access.stores.webhooks

    async def list(self, *, limit: int, after: Position | None) -> Page[Endpoint]:
        self.access.admin()
        return await self._store.list(limit=limit, after=after)

    async def get(self, endpoint_id: str) -> Endpoint:
        self.access.admin()
        return await self._store.get(endpoint_id)

    async def add(self, new: NewEndpoint) -> Endpoint:
        """Invalid for an address that is not allowed, as far as can be told now."""
        person = self.access.admin()
        await self._check(new.url)
        endpoint = Endpoint(**dict(new), created_by=person.subject)
        await self._store.add(endpoint)
        return endpoint

    async def change(self, endpoint_id: str, patch: EndpointPatch, expected: Expected) -> Endpoint:
        self.access.admin()
        if patch.url is not None:
            await self._check(patch.url)

        async def fields(stored: Endpoint) -> dict[str, Any]:
            changed = merge(
                stored, patch, texts=(), required=("url", "events", "enabled"), language=""
            )
            if changed.get("enabled"):
                changed["disabled_because"] = None
            return changed

        return await self._rewrite(endpoint_id, fields, expected)

    async def rotate(self, endpoint_id: str, expected: Expected) -> Endpoint:
        """A new secret; messages carry a signature of the old one, too, for a day."""
        self.access.admin()

        async def fields(stored: Endpoint) -> dict[str, Any]:
            return {"generation": stored.generation + 1, "rotated_at": now()}

        return await self._rewrite(endpoint_id, fields, expected)

    async def delete(self, endpoint_id: str, expected: Expected) -> None:
        endpoint = await self.get(endpoint_id)
        check(expected, endpoint.revision)
        await self._store.delete(endpoint_id)

    def secret(self, endpoint: Endpoint) -> str:
        self.access.admin()
        return secret_text(self.keys, endpoint)

    async def test(self, endpoint_id: str) -> Delivery:
        endpoint = await self.get(endpoint_id)
        event = Event(kind=EventKind.WEBHOOK_TEST, data={"webhook_id": endpoint.id})
        return await self._store.enqueue(endpoint.id, event)

    async def deliveries(
        self,
        endpoint_id: str,
        *,
        state: DeliveryState | None,
        limit: int,
        after: Position | None,
    ) -> Page[Delivery]:
        endpoint = await self.get(endpoint_id)
        return await self._store.deliveries(endpoint.id, state=state, limit=limit, after=after)

    async def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery:
        self.access.admin()
        return await self._store.delivery(endpoint_id, delivery_id)

    async def replay(self, endpoint_id: str, delivery_id: str) -> Delivery:
        self.access.admin()
        return await self._store.replay(endpoint_id, delivery_id)

    async def _rewrite(self, endpoint_id: str, fields: Any, expected: Expected) -> Endpoint:
        async def write(changes: Changes) -> Endpoint:
            return await self._store.change(endpoint_id, changes)

        return await rewrite(lambda: self._store.get(endpoint_id), fields, write, expected)

    async def _check(self, url: str) -> None:
        """A name without an address now may have one later; every attempt is judged anew."""
        try:
            await self.targets.judge(url)
        except ForbiddenTarget as error:
            raise Invalid(
                "Webhooks cannot be sent there.", errors=[FieldError("/url", error.message)]
            ) from error
