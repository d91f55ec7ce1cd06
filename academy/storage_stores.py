"""Protocols of the stores that look after what is stored: accounting, takedowns, holdings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from academy.accounting import CourseUsage, OwnerUsage, Usage
from academy.holdings import HeldMedia, HeldRecording, MediaHolding, Reason
from academy.store_values import Page, Position
from academy.takedowns import Takedown


class AccountingStore(Protocol):
    async def total(self) -> Usage:
        """Of all documents: what deleted lectures left counts until garbage collection."""

    async def course(self, slug: str) -> CourseUsage:
        """NotFound without the course. Two indexed reads and three sums."""

    async def owner(self, subject: str) -> OwnerUsage:
        """All zero for somebody without courses."""

    async def courses(self, *, limit: int, after: Position | None = None) -> Page[CourseUsage]:
        """By slug."""

    async def owners(self, *, limit: int, after: Position | None = None) -> Page[OwnerUsage]:
        """By account."""


class TakedownStore(Protocol):
    async def begin(self, lecture_id: str, *, reason: str, by: str) -> Takedown:
        """One transaction: the lecture is an empty draft, its work has ended, the documents of its
        recordings and media are gone, and this record exists. NotFound without the lecture; Conflict
        when it has nothing that could be taken down.
        """

    async def list(self, *, limit: int, after: Position | None = None) -> Page[Takedown]:
        """Newest first."""

    async def happened_to(self, lecture_id: str) -> bool: ...
    async def unfinished(self) -> Sequence[Takedown]: ...
    async def purged(self, takedown_id: str) -> None: ...
    async def finished(self, takedown_id: str) -> None: ...
    async def troubled(self, takedown_id: str, because: str) -> None: ...
    async def forget_receipts(self, media: Collection[str]) -> None:
        """Repeatable."""


class HoldingsStore(Protocol):
    """What documents say of objects. `age`: what happened later than that is not judged yet."""

    async def any_recordings(self) -> bool: ...
    async def recordings(self, ids: Collection[str]) -> Mapping[str, Reason | None]:
        """None: needed, by a lecture's recording or an upload."""

    async def media(self, ids: Collection[str], *, age: timedelta) -> Mapping[str, MediaHolding]:
        """Only those with a document."""

    async def uploads(self, storage_upload_ids: Collection[str]) -> set[str]:
        """Those of them that an upload knows which may still go on."""

    def held_recordings(self) -> AsyncIterator[HeldRecording]: ...
    def held_media(self) -> AsyncIterator[HeldMedia]: ...
    async def names(self, media_id: str) -> set[str]:
        """Of every segment with a receipt, below the media's prefix."""

    async def forget_recording(self, recording_id: str) -> bool:
        """Deletes its documents, unless somebody needs it: then False and nothing changes."""

    async def forget_media(self, media_id: str, *, age: timedelta) -> bool:
        """The same of media and their receipts."""


class StorageStores(Protocol):
    @property
    def accounting(self) -> AccountingStore: ...
    @property
    def takedowns(self) -> TakedownStore: ...
    @property
    def holdings(self) -> HoldingsStore: ...
