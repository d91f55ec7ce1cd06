"""Every document store of one database, as Protocols. Methods name intents; each changes what it says
and nothing else.

Asynchronous (PyMongo's async API); only `academy.recording_stores.Journal` and `academy.object_stores` are
synchronous. Errors: `academy.errors`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from academy.catalogue_stores import (
    CatalogueStore,
    CourseStore,
    InstructorStore,
    ProgrammeStore,
    PublicChanges,
    UniversityStore,
)
from academy.events import Event, EventKind
from academy.recording_stores import (
    CaptionStore,
    InvitationStore,
    JobStore,
    MediaStore,
    RecordingStore,
    UploadStore,
)
from academy.search.entries import Cue, Kind
from academy.search.hits import Hit
from academy.search.query import Query
from academy.store_values import Changes, Page, Position
from academy.webhooks import Delivery, DeliveryState, Endpoint, Outcome


class SearchStore(Protocol):
    async def find(
        self,
        query: Query,
        *,
        kinds: Collection[Kind],
        limit: int,
        language: str | None = None,
        after: Position | None = None,
    ) -> Page[Hit]:
        """Best first, only what everybody may see now. `language`: the resource's own, or the caption's."""

    async def index_captions(self, lecture_id: str, language: str, cues: Sequence[Cue]) -> None:
        """Replaces what can be found of a lecture's captions in one language; none removes them.

        One atomic write: the index follows within milliseconds, and what was replaced is gone at once.
        """


class IdempotencyStore(Protocol):
    """Answers kept under a client's `Idempotency-Key`, per subject, for a day."""

    async def begin(self, subject: str, key: str, fingerprint: str) -> dict[str, Any] | None:
        """Reserves the key, or returns the kept answer. Conflict while the first request still runs
        and Invalid when the key came with another request (`fingerprint`).
        """

    async def finish(self, subject: str, key: str, answer: Mapping[str, Any]) -> None: ...
    async def forget(self, subject: str, key: str) -> None:
        """The request failed: the key may be used again."""


class EventOutbox(Protocol):
    """Events for webhooks, written with the change they tell of."""

    async def add(self, kind: EventKind, data: Mapping[str, Any], session: Any) -> None:
        """Within `session`'s transaction: the event exists if and only if the change does.

        `data` is JSON: names of what changed. The transaction's body may run more than once, and so may this.
        """


class WebhookStore(Protocol):
    """Endpoints, and the deliveries of events to them."""

    async def get(self, endpoint_id: str) -> Endpoint: ...
    async def list(self, *, limit: int, after: Position | None = None) -> Page[Endpoint]:
        """Newest first."""

    async def add(self, endpoint: Endpoint) -> None: ...
    async def change(self, endpoint_id: str, changes: Changes) -> Endpoint:
        """PreconditionFailed when the revision moved on."""

    async def delete(self, endpoint_id: str) -> None:
        """With its deliveries."""

    async def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery: ...
    async def deliveries(
        self,
        endpoint_id: str,
        *,
        state: DeliveryState | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Delivery]:
        """Newest first."""

    async def enqueue(self, endpoint_id: str, event: Event) -> Delivery:
        """An event for this endpoint alone."""

    async def replay(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """delivered | failed -> pending, with all attempts anew. Conflict while pending."""

    # From here on: the deliverer's side.
    async def fan_out(self) -> bool:
        """Makes the deliveries of the oldest pending event; False when there is none."""

    async def claim(self) -> tuple[Delivery, Endpoint] | None:
        """The delivery that is due longest, with attempts + 1: nobody else gets it for a minute."""

    async def settle(
        self, delivery: Delivery, outcome: Outcome, again_in: timedelta | None
    ) -> None:
        """pending -> delivered, or again later, or failed. Nothing when the claim was lost."""

    async def hand_back(self, delivery: Delivery) -> None:
        """Not sent: due at once, not counting the attempt."""

    async def switch_off(self, endpoint_id: str, because: str) -> None:
        """Disables it: its receiver is gone."""


class RateLimitStore(Protocol):
    async def count(self, key: str, *, window: int, amount: int = 1) -> tuple[int, datetime]:
        """Adds to the counter of `key`'s present window, which is `window` seconds long: the
        count, and when the window ends.
        """


class Stores(Protocol):
    """All document stores of one database."""

    @property
    def universities(self) -> UniversityStore: ...
    @property
    def programmes(self) -> ProgrammeStore: ...
    @property
    def instructors(self) -> InstructorStore: ...
    @property
    def courses(self) -> CourseStore: ...
    @property
    def catalogue(self) -> CatalogueStore: ...
    @property
    def public_changes(self) -> PublicChanges: ...
    @property
    def uploads(self) -> UploadStore: ...
    @property
    def recordings(self) -> RecordingStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def invitations(self) -> InvitationStore: ...
    @property
    def captions(self) -> CaptionStore: ...
    @property
    def search(self) -> SearchStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def outbox(self) -> EventOutbox: ...
    @property
    def webhooks(self) -> WebhookStore: ...
    @property
    def rate_limits(self) -> RateLimitStore: ...
