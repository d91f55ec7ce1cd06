"""Taking in a recording: the part plan, signed parts, what has arrived.

The bytes go from the client straight to storage. `academy/completion.py` drives the completion.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.access import Access
from academy.completion import complete
from academy.courses import Lecture, now
from academy.errors import Conflict, FieldError, Gone, Invalid, ObjectNotFound, TooLarge
from academy.ids import new_id
from academy.invitations import invitation_of
from academy.jobs import JobState
from academy.object_stores import SignedPart, Storage
from academy.quotas import Quotas
from academy.recordings import Recording
from academy.uploads import (
    LARGEST_PART,
    LIFETIME,
    MOST_PARTS,
    Part,
    PartPlan,
    Upload,
    UploadState,
    plan_parts,
    source_key,
)

PART_LINK_SECONDS: Final = 3600
MOST_LINKS: Final = 1000
"""Signed in one request."""
LONGEST_NAME: Final = 200
UNCOUNTED: Final = 16
"""Parts of an upload without a plan that may follow those which were counted last."""


ContentType = Annotated[
    str, StringConstraints(pattern=r"^[\w.+-]+/[\w.+-]+( *;[^\r\n]*)?$", max_length=255)
]


class NewUpload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    filename: str = Field(min_length=1, max_length=4096)
    size: int = Field(ge=1)
    """Bytes."""
    content_type: ContentType = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class WantedPart:
    number: int
    md5: str | None = None
    """Base64 of the part's digest (RFC 1864): the store then refuses other bytes."""
    count: int = 1
    """This part and those behind it, sent in one request as one part."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Every method raises Unauthenticated, Forbidden or NotFound as `Access` decides."""

    access: Access
    storage: Storage
    most_bytes: int
    quotas: Quotas

    async def begin(self, lecture_id: str, new: NewUpload) -> Upload:
        """TooLarge over the limit of this server; Conflict over a quota."""
        lecture = await self.access.lecture_to_send_to(lecture_id)
        self._within(new.size)
        return await self._begin(lecture, new, plan_parts(new.size))

    async def begin_unplanned(self, lecture_id: str, *, filename: str, content_type: str) -> Upload:
        """For clients that cut the file as they like and never say how long it is (Uppy): the size
        is that of the parts which have arrived, looked at as links are signed and at completion.
        """
        new = NewUpload.model_construct(filename=filename, content_type=content_type, size=0)
        lecture = await self.access.lecture_to_send_to(lecture_id)
        return await self._begin(lecture, new, PartPlan(part_size=0, part_count=0))

    def _within(self, size: int) -> None:
        if size > self.most_bytes:
            raise TooLarge(
                f"The file has {size} bytes; this server takes {self.most_bytes} at most."
            )

    async def _begin(self, lecture: Lecture, new: NewUpload, plan: PartPlan) -> Upload:
        await self._free_invitation()
        course = await self.access.stores.courses.get(lecture.course)
        await self.quotas.check(course, new.size)
        recording_id = new_id()
        number = await self.access.stores.uploads.begin(lecture.id)
        storage_upload_id = await asyncio.to_thread(
            self.storage.start, source_key(recording_id), content_type=kept_type(new.content_type)
        )
        begun = now()
        upload = Upload(
            lecture_id=lecture.id,
            number=number,
            recording_id=recording_id,
            filename=display_name(new.filename),
            size=new.size,
            content_type=new.content_type,
            part_size=plan.part_size,
            part_count=plan.part_count,
            storage_upload_id=storage_upload_id,
            created_by=self.access.person().subject,
            created_at=begun,
            expires_at=begun + LIFETIME,
        )
        await self.access.stores.uploads.add(upload)
        try:
            # Once more, since several may have been begun at the same time.
            await self.quotas.check(course, new.size, counted=True)
        except Conflict:
            await self.access.stores.uploads.end(upload.id, expired=False)
            raise
        return upload

    async def _free_invitation(self) -> None:
        """One that was used is free again when its upload could not be completed, or its recording
        turned out to be none.
        """
        guest = self.access.guest
        if guest is None or guest.used_by is None:
            return
        stores = self.access.stores
        before = await stores.uploads.get(guest.used_by)
        job = await stores.jobs.newest(before.recording_id)
        failed = job is not None and job.state in {JobState.FAILED, JobState.CANCELLED}
        arrived = before.state in {UploadState.COMPLETING, UploadState.COMPLETED}
        if arrived and not failed:
            raise Conflict(
                "The recording has arrived: this invitation was for one. Ask for another one to "
                "replace it.",
                code="invitation_used",
            )
        await stores.invitations.release(guest.id, before.id)

    async def upload(self, upload_id: str) -> Upload:
        """NotFound for those who may not write the lecture it belongs to."""
        if self.access.upload_granted is None:
            self.access.person()
        upload = await self.access.stores.uploads.get(upload_id)
        await self.access.check_may_send(upload)
        return upload

    async def under_way(self, lecture_id: str) -> Sequence[Upload]:
        """A lecture's open uploads, newest first, so that another machine can go on with one. Guests
        are told of their own only.
        """
        await self.access.lecture_to_send_to(lecture_id)
        found = await self.access.stores.uploads.open_for(lecture_id)
        guest = self.access.guest
        return [each for each in found if guest is None or each.created_by == guest.subject]

    async def sign(self, upload_id: str, wanted: Sequence[WantedPart]) -> list[SignedPart]:
        """Where to PUT each part, for an hour. Conflict once the upload is no longer open. Without a
        plan: TooLarge, or Conflict over a quota, when too much has arrived already.
        """
        upload = await self.upload(upload_id)
        _open(upload)
        _valid_parts(upload, wanted)
        if not upload.planned and not _soon_counted(upload, wanted):
            await self._count(upload)
        return await asyncio.to_thread(self._sign, upload, wanted)

    async def arrived(self, upload: Upload) -> Sequence[Part]:
        """What the store holds; after the move to `completing`, what was saved by it."""
        if upload.state is not UploadState.OPEN:
            return upload.parts
        try:
            return await asyncio.to_thread(self.storage.parts, upload.key, upload.storage_upload_id)
        except ObjectNotFound as error:
            raise Gone("The storage no longer holds this upload: begin a new one.") from error

    async def complete(self, upload_id: str) -> Recording:
        """As `completion.complete`; through an invitation for one upload only (Conflict). Without a plan
        as `sign`, too: TooLarge, or Conflict over a quota.
        """
        upload = await self.upload(upload_id)
        invitation_id = invitation_of(upload.created_by)
        if invitation_id is not None:
            # Noted before anything is joined: of two uploads at once one is refused.
            await self.access.stores.invitations.use(invitation_id, upload.id)
        admit = None if upload.planned else self._admit
        return await complete(upload.id, self.access.stores.uploads, self.storage, admit=admit)

    async def abort(self, upload_id: str) -> None:
        """Repeatable. Conflict once completing."""
        upload = await self.upload(upload_id)
        invitation_id = invitation_of(upload.created_by)
        if upload.state not in {UploadState.ABORTED, UploadState.EXPIRED}:
            await self.access.stores.uploads.end(upload_id, expired=False)
        if invitation_id is not None:
            await self.access.stores.invitations.release(invitation_id, upload.id)
        await asyncio.to_thread(self.storage.abort, upload.key, upload.storage_upload_id)

    async def _count(self, upload: Upload) -> None:
        """What has arrived of an upload without a plan: noted first and then judged, so that of several
        at once each sees the others. It stays open, and its parts count, until it is ended.
        """
        arrived = await self.arrived(upload)
        await self._admit(await self.access.stores.uploads.arriving(upload.id, arrived))

    async def _admit(self, upload: Upload) -> None:
        self._within(upload.size)
        lecture = await self.access.stores.courses.lecture(upload.lecture_id)
        course = await self.access.stores.courses.get(lecture.course)
        await self.quotas.check(course, upload.size, counted=True)

    def _sign(self, upload: Upload, wanted: Sequence[WantedPart]) -> list[SignedPart]:
        return [
            self.storage.sign_part(
                upload.key,
                upload.storage_upload_id,
                part.number,
                expires_in=PART_LINK_SECONDS,
                md5=part.md5,
                size=upload.expected_size(part.number, part.count) if upload.planned else None,
            )
            for part in wanted
        ]


def _open(upload: Upload) -> None:
    if upload.state is not UploadState.OPEN:
        raise Conflict(f"This upload is {upload.state.value}: it takes no more parts.")


def _valid_parts(upload: Upload, wanted: Sequence[WantedPart]) -> None:
    wrong: list[FieldError] = []
    most = upload.part_count if upload.planned else MOST_PARTS
    for index, part in enumerate(wanted):
        if not 1 <= part.number <= most:
            detail = f"part {part.number} is not one of 1 to {most}"
            wrong.append(FieldError(f"/parts/{index}/number", detail))
        elif too_many := _too_many(upload, part):
            wrong.append(FieldError(f"/parts/{index}/count", too_many))
        if part.md5 is not None and not _is_md5(part.md5):
            detail = "this is not the base64 of a 16-byte MD5 digest"
            wrong.append(FieldError(f"/parts/{index}/md5", detail))
    if wrong:
        raise Invalid("The list of parts is not valid.", errors=wrong)


def _too_many(upload: Upload, part: WantedPart) -> str | None:
    if part.count == 1:
        return None
    if not upload.planned:
        return "only planned parts can be sent together"
    if part.number + part.count - 1 > upload.part_count:
        return f"there are {upload.part_count - part.number + 1} parts from this one on"
    if upload.expected_size(part.number, part.count) > LARGEST_PART:
        return f"together they have more than {LARGEST_PART} bytes"
    return None


def _soon_counted(upload: Upload, wanted: Sequence[WantedPart]) -> bool:
    """Whether these are the next parts of an upload without a plan. Those sent again are not: they may be
    larger than what is there.
    """
    counted = upload.part_count
    return all(counted < part.number <= counted + UNCOUNTED for part in wanted)


def _is_md5(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def kept_type(said: str) -> str:
    """As what a source is stored. Nothing that a browser would run, whatever the client calls it; what
    it is, inspection finds out. (Not refused either: browsers call some video `text/…` by its suffix.)
    """
    kind = said.partition(";")[0].strip().lower()
    return kind if kind.startswith(("video/", "audio/")) else "application/octet-stream"


def display_name(filename: str) -> str:
    """A client's file name, safe to show: no folders, no control or direction-changing characters.

    Nothing is ever opened or stored under it.
    """
    last = re.split(r"[/\\]", filename)[-1]
    shown = "".join(each for each in last if unicodedata.category(each)[0] != "C").strip(" .")
    if len(shown) <= LONGEST_NAME:
        return shown or "recording"
    stem, dot, suffix = shown.rpartition(".")
    if not dot or len(suffix) > 10:
        return shown[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"
