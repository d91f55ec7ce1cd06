"""Garbage collection: objects that no document needs, and documents whose objects are missing.

A survey looks and changes nothing; a sweep then deletes what the survey found. What is younger than
`age` is never touched: an upload may have been started in the store a moment before its document is
written, and links and path tokens to what was replaced live for 18 hours. Objects are judged after
they were listed, and a document always precedes its objects, so what looks unknown is.

Reads one listing of every object and one query for each 500 recordings or media; for each published
media also its receipts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, Literal

from academy.errors import Conflict, Unavailable
from academy.holdings import Reason
from academy.object_stores import MultipartUpload, ObjectInfo, Storage
from academy.storage_stores import HoldingsStore
from academy.uploads import recording_prefix

USUAL_AGE: Final = timedelta(hours=24)
MOST_UNKNOWN: Final = 0.5
"""Share of unknown recordings and media above which a sweep refuses: that is another database."""
FEW: Final = 10
"""Below so many of them the share tells nothing."""
_ROUNDING: Final = timedelta(seconds=2)
_BATCH: Final = 500
_MOST_OBJECTS: Final = 50_000
_SEGMENT: Final = re.compile(r"[^/]+/(init|\d+)-[^/]+\.(m4s|mp4)")

Kind = Literal["recording", "media", "object"]


@dataclass(frozen=True, slots=True)
class Orphan:
    """Everything below `prefix`, or the one object of that key."""

    kind: Kind
    id: str
    prefix: str
    reason: Reason
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A document that names objects the storage does not have."""

    kind: Kind
    id: str
    lecture_id: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Survey:
    age: timedelta
    orphans: list[Orphan] = field(default_factory=list)
    abandoned: list[MultipartUpload] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    groups: int = 0
    """Recordings and media that have objects."""
    objects: int = 0
    bytes: int = 0
    """Of all that was listed."""
    unlisted: str | None = None
    """Why the store could not say which multipart uploads are under way."""

    @property
    def unknown(self) -> int:
        return sum(each.reason is Reason.UNKNOWN for each in self.orphans if each.kind != "object")


@dataclass(slots=True)
class Swept:
    objects: int = 0
    bytes: int = 0
    uploads: int = 0
    needed_again: list[str] = field(default_factory=list)
    """What somebody had begun to need by the time it was to be deleted."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The objects of one recording or media."""

    id: str
    prefix: str
    objects: Sequence[ObjectInfo]

    @property
    def newest(self) -> datetime:
        return max(each.modified for each in self.objects)

    @property
    def bytes(self) -> int:
        return sum(each.size for each in self.objects)

    def orphan(self, kind: Kind, reason: Reason) -> Orphan:
        return Orphan(kind, self.id, self.prefix, reason, len(self.objects), self.bytes)


@dataclass(frozen=True, slots=True)
class Garbage:
    holdings: HoldingsStore
    storage: Storage

    async def survey(self, age: timedelta = USUAL_AGE) -> Survey:
        """Changes nothing. Raises Unavailable."""
        survey = Survey(age)
        await self._recordings(survey)
        await self._media(survey)
        await self._probes(survey)
        await self._multipart(survey)
        return survey

    async def sweep(
        self,
        survey: Survey,
        *,
        though_most: bool = False,
        progress: Callable[[], None] = lambda: None,
    ) -> Swept:
        """Deletes what the survey found and nothing else; repeatable. Conflict, before anything is
        deleted, when so much is unknown that storage and database hardly belong together, unless
        `though_most`.
        """
        if not though_most:
            await self._belong_together(survey)
        swept = Swept()
        for orphan in survey.orphans:
            if await self._remove(orphan, survey.age):
                swept.objects += orphan.objects
                swept.bytes += orphan.bytes
            else:
                swept.needed_again.append(orphan.prefix)
            progress()
        going_on = await self.holdings.uploads([each.upload_id for each in survey.abandoned])
        for upload in survey.abandoned:
            if upload.upload_id not in going_on:
                await asyncio.to_thread(self.storage.abort, upload.key, upload.upload_id)
                swept.uploads += 1
            progress()
        return swept

    async def _belong_together(self, survey: Survey) -> None:
        nothing_known = survey.groups and not await self.holdings.any_recordings()
        most = survey.groups >= FEW and survey.unknown > survey.groups * MOST_UNKNOWN
        if survey.unknown and (nothing_known or most):
            raise Conflict(
                f"{survey.unknown} of {survey.groups} recordings and media in the storage are unknown "
                "to this database. Are ACADEMY_STORAGE_URL and ACADEMY_MONGODB_URL of the same "
                "installation, and was no older backup restored? If all is as it should be, "
                "repeat with --though-most."
            )

    async def _remove(self, orphan: Orphan, age: timedelta) -> bool:
        if orphan.kind == "object":
            await asyncio.to_thread(self.storage.delete, orphan.prefix)
            return True
        if orphan.kind == "recording":
            free = await self.holdings.forget_recording(orphan.id)
        else:
            free = await self.holdings.forget_media(orphan.id, age=age)
        if free:
            await asyncio.to_thread(self.storage.delete_prefix, orphan.prefix)
        return free

    async def _recordings(self, survey: Survey) -> None:
        listed: set[str] = set()
        latest = _before(survey.age)
        async for groups in self._listed("recordings/", survey):
            found = await self.holdings.recordings([group.id for group in groups])
            for group in groups:
                listed.add(group.id)
                reason = found[group.id]
                if reason is not None and group.newest < latest:
                    survey.orphans.append(group.orphan("recording", reason))
        async for held in self.holdings.held_recordings():
            if held.id in listed:
                continue
            if held.lecture_exists:
                survey.missing.append(Missing("recording", held.id, held.lecture_id, (held.key,)))
            else:
                prefix = recording_prefix(held.id)
                gone = Orphan("recording", held.id, prefix, Reason.LECTURE_GONE, 0, 0)
                survey.orphans.append(gone)

    async def _media(self, survey: Survey) -> None:
        held = {media.id: media async for media in self.holdings.held_media()}
        latest = _before(survey.age)
        async for groups in self._listed("media/", survey):
            found = await self.holdings.media([group.id for group in groups], age=survey.age)
            for group in groups:
                holding = found.get(group.id)
                reason = Reason.UNKNOWN if holding is None else holding.reason
                media = held.pop(group.id, None)
                if reason is not None:
                    if group.newest < latest and (holding is None or holding.settled):
                        survey.orphans.append(group.orphan("media", reason))
                    continue
                if holding is None or not holding.settled:
                    continue
                receipts = await self.holdings.names(group.id)
                survey.orphans += _strays(group, receipts, latest)
                if media is not None:
                    there = {each.key.removeprefix(group.prefix) for each in group.objects}
                    lacking = sorted((receipts | media.names) - there)
                    if lacking:
                        survey.missing.append(
                            Missing("media", media.id, media.lecture_id, tuple(lacking))
                        )
        for media in held.values():
            still = (await self.holdings.media([media.id], age=survey.age)).get(media.id)
            # Published or replaced while this went on: the next survey judges it.
            if still is None or (still.reason is None and still.settled):
                survey.missing.append(
                    Missing("media", media.id, media.lecture_id, tuple(sorted(media.names)))
                )

    async def _probes(self, survey: Survey) -> None:
        latest = _before(survey.age)
        async for groups in self._listed("health/", survey, count=False):
            for group in groups:
                survey.orphans += [
                    Orphan("object", each.key, each.key, Reason.PROBE, 1, each.size)
                    for each in group.objects
                    if each.modified < latest
                ]

    async def _multipart(self, survey: Survey) -> None:
        latest = _before(survey.age)
        try:
            found = await asyncio.to_thread(lambda: list(self.storage.under_way()))
        except Unavailable as error:
            survey.unlisted = error.message
            return
        going_on: set[str] = set()
        for begin in range(0, len(found), _BATCH):
            ids = [each.upload_id for each in found[begin : begin + _BATCH]]
            going_on |= await self.holdings.uploads(ids)
        survey.abandoned += [
            each for each in found if each.upload_id not in going_on and each.started < latest
        ]

    async def _listed(
        self, folder: str, survey: Survey, *, count: bool = True
    ) -> AsyncIterator[list[_Group]]:
        """Groups of objects, some at a time, listed in a thread."""
        groups = _grouped(self.storage, folder)
        while some := await asyncio.to_thread(_some, groups):
            survey.groups += len(some) if count else 0
            survey.objects += sum(len(group.objects) for group in some)
            survey.bytes += sum(group.bytes for group in some)
            yield some


def _grouped(storage: Storage, folder: str) -> Iterator[_Group]:
    """Listings are in the order of keys, so what belongs together comes together."""
    listing = storage.list(folder)
    for name, objects in groupby(listing, lambda each: each.key[len(folder) :].partition("/")[0]):
        yield _Group(name, f"{folder}{name}/", list(objects))


def _some(groups: Iterator[_Group]) -> list[_Group]:
    """The next ones, few enough to be held in memory: two hours of lecture are 7,000 objects."""
    some: list[_Group] = []
    objects = 0
    for group in groups:
        some.append(group)
        objects += len(group.objects)
        if len(some) >= _BATCH or objects >= _MOST_OBJECTS:
            break
    return some


def _strays(group: _Group, receipts: set[str], latest: datetime) -> list[Orphan]:
    """Segments nobody has a receipt for. What is no segment is left alone."""
    return [
        Orphan("object", group.id, each.key, Reason.STRAY, 1, each.size)
        for each in group.objects
        if (name := each.key.removeprefix(group.prefix)) not in receipts
        and _SEGMENT.fullmatch(name)
        and each.modified < latest
    ]


def _before(age: timedelta) -> datetime:
    """S3 tells whole seconds, some servers rounded up: without an age everything is old."""
    return datetime.now(UTC) - (age or -_ROUNDING)
