"""Webhooks: the endpoints that want to be told of events, and each telling (a delivery).

Messages and signatures are those of Standard Webhooks (standardwebhooks.com, specification 1.0).
An endpoint's secret is derived from `SECRET_KEY`, its id and its generation, so the database holds
none; changing `SECRET_KEY` changes it, and both are signed with while `SECRET_KEY_PREVIOUS` is set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.courses import now
from academy.events import Event, EventKind
from academy.ids import new_id
from academy.keys import KeyRing

PREFIX: Final = "whsec_"
OVERLAP: Final = timedelta(days=1)
"""How long the secret before a rotation is still signed with."""
PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Before each repetition, as the specification recommends: about three days in all."""
MOST_ATTEMPTS: Final = len(PAUSES) + 1


class DeliveryState(StrEnum):
    PENDING = "pending"
    """Waits for its first or next attempt, or is being sent."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up; an administrator may replay it."""


class Endpoint(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    url: str
    events: list[EventKind]
    description: str | None = None
    enabled: bool = True
    disabled_because: str | None = None
    """Set when deliveries switched it off: it answered 410."""
    generation: int = 1
    """Of its secret."""
    rotated_at: datetime | None = None
    created_by: str
    created_at: datetime = Field(default_factory=now)
    revision: int = 1


class Delivery(BaseModel):
    """One event on its way to one endpoint. `due_at`: not sent before."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    endpoint_id: str
    event: Event
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    created_at: datetime = Field(default_factory=now)
    due_at: datetime = Field(default_factory=now)
    attempted_at: datetime | None = None
    status: int | None = None
    """The HTTP status of the last attempt, if there was an answer."""
    error: str | None = None
    """Why the last attempt failed, in a sentence."""
    claim: str | None = None
    """Of the process that sends it at the moment."""


class Outcome(BaseModel):
    """Of one attempt. `error` is None for success; `wait` is what the receiver asked for."""

    model_config = ConfigDict(frozen=True)

    status: int | None = None
    error: str | None = None
    wait: timedelta | None = None
    gone: bool = False
    """410: the receiver never wants to hear of it again."""


def pause_after(attempts: int, wait: timedelta | None) -> timedelta | None:
    """Before the next attempt; None when there is none left. A receiver may ask for longer."""
    if attempts >= MOST_ATTEMPTS:
        return None
    usual = PAUSES[max(attempts, 1) - 1]
    return usual if wait is None else min(max(usual, wait), PAUSES[-1])


def secrets_of(keys: KeyRing, endpoint: Endpoint, *, at: datetime) -> Iterator[bytes]:
    """32 bytes each, the current one first; then those that were current a short while ago."""
    generations = [endpoint.generation]
    if endpoint.rotated_at is not None and at - endpoint.rotated_at < OVERLAP:
        generations.append(endpoint.generation - 1)
    for generation in generations:
        message = f"{endpoint.id}.{generation}".encode()
        for key in keys.keys("webhooks"):
            yield hmac.new(key, message, hashlib.sha256).digest()


def secret_text(keys: KeyRing, endpoint: Endpoint) -> str:
    """As receivers' libraries take it: `whsec_` and base64."""
    secret = next(secrets_of(keys, endpoint, at=now()))
    return PREFIX + base64.b64encode(secret).decode()


def message_of(event: Event) -> bytes:
    """The body: the same bytes at every attempt."""
    body = {
        "type": event.kind.value,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": event.data,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(
    keys: KeyRing, endpoint: Endpoint, event: Event, body: bytes, *, at: datetime
) -> dict[str, str]:
    """`webhook-id` names the event, so that a receiver knows a repetition; the timestamp is the attempt's."""
    seconds = str(int(at.timestamp()))
    signed = f"{event.id}.{seconds}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in secrets_of(keys, endpoint, at=at)
    ]
    return {
        "webhook-id": event.id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(signatures),
    }


EndpointUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[!#-;=?-\[\]_a-z~%&]+$", max_length=2000)
]
"""ASCII: names in other scripts in their `xn--` form."""
Kinds = Annotated[list[EventKind], Field(min_length=1, max_length=len(EventKind))]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class NewEndpoint(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: EndpointUrl
    """Where events are sent by POST. Addresses of private networks are refused."""
    events: Kinds
    description: Description | None = None
    enabled: bool = True


class EndpointPatch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: EndpointUrl | None = None
    events: Kinds | None = None
    description: Description | None = None
    enabled: bool | None = None
