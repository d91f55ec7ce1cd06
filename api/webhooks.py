"""Webhooks: endpoints that are told of events, and the deliveries to them. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query, Response
from pydantic import BaseModel, Field

from academy.events import EventKind
from academy.webhooks import Delivery, DeliveryState, Endpoint, EndpointPatch, NewEndpoint
from api import paging
from api.answers import answer
from api.context import Context, IfMatch, SignedIn
from api.idempotency import IdempotencyKey
from api.representations import Listing
from api.routing import ACT, CHANGE, CREATE, LIST, problems, router

routes: Final = router("webhooks")


class WebhookOut(BaseModel):
    id: str
    url: str = Field(examples=["https://portal.example.org/hooks/academy"])
    events: list[EventKind] = Field(examples=[["lecture.ready", "lecture.failed"]])
    description: str | None
    enabled: bool
    disabled_because: str | None = Field(
        description="Set when deliveries switched it off: the receiver answered 410"
    )
    created_at: datetime
    rotated_at: datetime | None = Field(description="When the secret was last changed")

    @classmethod
    def of(cls, endpoint: Endpoint) -> WebhookOut:
        return cls(**endpoint.model_dump(include=set(cls.model_fields)))


class WebhookSecret(BaseModel):
    secret: str = Field(
        description="For Standard Webhooks libraries: verify each message with it",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
    )


class DeliveryOut(BaseModel):
    id: str
    state: DeliveryState
    type: EventKind
    event_id: str = Field(description="`webhook-id` of the message")
    data: dict[str, Any] = Field(description="`data` of the message")
    attempts: int
    created_at: datetime
    attempted_at: datetime | None
    due_at: datetime | None = Field(description="Of the next attempt; null when there is none")
    status: int | None = Field(description="HTTP status of the last attempt, if it was answered")
    error: str | None = Field(description="Why the last attempt failed")

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        return cls(
            id=delivery.id,
            state=delivery.state,
            type=delivery.event.kind,
            event_id=delivery.event.id,
            data=delivery.event.data,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            attempted_at=delivery.attempted_at,
            due_at=delivery.due_at if delivery.state is DeliveryState.PENDING else None,
            status=delivery.status,
            error=delivery.error,
        )


@routes.get("/webhooks", response_model=Listing[WebhookOut], responses=LIST | problems(403))
async def list_webhooks(
    context: SignedIn, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """Newest first."""
    keys, scope = context.services.backend.keys, paging.scope_of("webhooks")
    page = await context.webhooks.list(limit=limit, after=paging.decode(keys, scope, cursor))
    listing = Listing[WebhookOut](
        items=[WebhookOut.of(each) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.post("/webhooks", response_model=WebhookOut, status_code=201, responses=CREATE)
async def create_webhook(context: SignedIn, once: IdempotencyKey, new: NewEndpoint) -> Response:
    """From now on the events named are sent to `url`, signed. Read the secret at `…/secret`.

    Addresses of private networks are refused unless the operator allows them.
    """

    async def work() -> Response:
        endpoint = await context.webhooks.add(new)
        return _webhook(context, endpoint, status=201, location=f"/v1/webhooks/{endpoint.id}")

    return await once(work)


@routes.get("/webhooks/{webhook_id}", response_model=WebhookOut, responses=ACT | LIST)
async def get_webhook(context: SignedIn, webhook_id: str) -> Response:
    return _webhook(context, await context.webhooks.get(webhook_id))


@routes.patch("/webhooks/{webhook_id}", response_model=WebhookOut, responses=CHANGE)
async def change_webhook(
    context: SignedIn, webhook_id: str, patch: EndpointPatch, expected: IfMatch
) -> Response:
    """A merge patch (RFC 7396). `enabled: true` also revives one that deliveries switched off."""
    return _webhook(context, await context.webhooks.change(webhook_id, patch, expected))


@routes.delete("/webhooks/{webhook_id}", status_code=204, responses=CHANGE)
async def delete_webhook(context: SignedIn, webhook_id: str, expected: IfMatch) -> Response:
    """With its deliveries."""
    await context.webhooks.delete(webhook_id, expected)
    return Response(status_code=204)


@routes.get("/webhooks/{webhook_id}/secret", response_model=WebhookSecret, responses=ACT)
async def get_webhook_secret(context: SignedIn, webhook_id: str) -> Response:
    """What its messages are signed with."""
    return _secret(context, await context.webhooks.get(webhook_id))


@routes.post("/webhooks/{webhook_id}/rotate", response_model=WebhookSecret, responses=CHANGE)
async def rotate_webhook_secret(context: SignedIn, webhook_id: str, expected: IfMatch) -> Response:
    """A new secret. For a day messages are signed with the one before, too."""
    return _secret(context, await context.webhooks.rotate(webhook_id, expected))


@routes.post(
    "/webhooks/{webhook_id}/test", response_model=DeliveryOut, status_code=202, responses=ACT
)
async def test_webhook(context: SignedIn, webhook_id: str) -> Response:
    """Sends a `webhook.test` message to this endpoint."""
    return answer(context, DeliveryOut.of(await context.webhooks.test(webhook_id)), status=202)


@routes.get(
    "/webhooks/{webhook_id}/deliveries",
    response_model=Listing[DeliveryOut],
    responses=LIST | problems(403, 404),
)
async def list_deliveries(
    context: SignedIn,
    webhook_id: str,
    state: Annotated[DeliveryState | None, Query(description="Only these")] = None,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """Newest first; kept for 30 days."""
    keys, scope = (
        context.services.backend.keys,
        paging.scope_of("deliveries", webhook=webhook_id, state=state),
    )
    page = await context.webhooks.deliveries(
        webhook_id, state=state, limit=limit, after=paging.decode(keys, scope, cursor)
    )
    listing = Listing[DeliveryOut](
        items=[DeliveryOut.of(each) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}", response_model=DeliveryOut, responses=ACT
)
async def get_delivery(context: SignedIn, webhook_id: str, delivery_id: str) -> Response:
    return answer(context, DeliveryOut.of(await context.webhooks.delivery(webhook_id, delivery_id)))


@routes.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    response_model=DeliveryOut,
    status_code=202,
    responses=ACT,
)
async def replay_delivery(context: SignedIn, webhook_id: str, delivery_id: str) -> Response:
    """Sends it again, with the same `webhook-id`. 409 while it is under way."""
    delivery = await context.webhooks.replay(webhook_id, delivery_id)
    return answer(context, DeliveryOut.of(delivery), status=202)


def _webhook(
    context: Context, endpoint: Endpoint, *, status: int = 200, location: str | None = None
) -> Response:
    return answer(
        context,
        WebhookOut.of(endpoint),
        revision=endpoint.revision,
        status=status,
        location=location,
    )


def _secret(context: Context, endpoint: Endpoint) -> Response:
    document = WebhookSecret(secret=context.webhooks.secret(endpoint))
    return answer(context, document, revision=endpoint.revision)
