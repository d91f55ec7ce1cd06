"""Drives an upload open -> completing -> completed, and forward again after a crash.

The object store and MongoDB share no transaction. So the part list is saved first (`completing`),
then the store joins the parts, then size is checked, then one MongoDB transaction ends it. Every step
may be repeated, by anyone, at any time: what a crash leaves is finished by the next `complete` or by
`reconcile`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from academy.coverage import coverage
from academy.errors import AcademyError, Conflict, ObjectNotFound, TooLarge
from academy.object_stores import Storage
from academy.recording_stores import UploadStore
from academy.recordings import Recording
from academy.uploads import Part, Upload, UploadState

log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=1)
"""How long a completion may be under way before the reconciler takes it for abandoned."""
Admit = Callable[[Upload], Awaitable[None]]
"""Raises TooLarge or Conflict when a recording of this size is not to be taken."""
MOST_NAMED: Final = 10
"""Part ranges that a message names before it ends with an ellipsis."""


async def complete(
    upload_id: str, uploads: UploadStore, storage: Storage, *, admit: Admit | None = None
) -> Recording:
    """The recording. Repeatable: the same one each time.

    `admit` judges what the saved part list adds up to, to which no part is added any more. Raises what that
    raises; NotFound; Conflict when parts are missing or have the wrong size (the upload stays open),
    or when it was aborted or expired; Unavailable when the object store does not answer (it stays
    `completing`: repeat it, or leave it to `reconcile`).
    """
    upload = await uploads.get(upload_id)
    if upload.state is UploadState.OPEN:
        upload = await uploads.completing(upload_id, await _arrived(upload, storage))
    if upload.state is UploadState.COMPLETING:
        try:
            if admit is not None:
                await admit(upload)
            await _assemble(upload, storage)
        except (Conflict, TooLarge):
            await uploads.reopen(upload_id)
            raise
    return await uploads.completed(upload)


async def _assemble(upload: Upload, storage: Storage) -> None:
    """Joins the parts, unless that was done before. Conflict when it cannot be done as things are."""
    try:
        await _join(upload, upload.parts, storage)
    except Conflict:
        # A part was sent again after the list was saved: what counts is what is there now.
        await _join(upload, await _arrived(upload, storage), storage)
    if not await _is_whole(upload, storage):
        raise Conflict(
            "The object store has neither this upload's parts nor its file: begin a new upload.",
            code="upload_lost",
        )


async def _join(upload: Upload, parts: Sequence[Part], storage: Storage) -> None:
    if not parts:  # joined before, by a request whose state was taken back
        return
    try:
        await asyncio.to_thread(storage.complete, upload.key, upload.storage_upload_id, parts)
    except ObjectNotFound:
        return  # joined before: the object tells


async def _is_whole(upload: Upload, storage: Storage) -> bool:
    try:
        found = await asyncio.to_thread(storage.stat, upload.key)
    except ObjectNotFound:
        return False
    return found.size == upload.size


async def _arrived(upload: Upload, storage: Storage) -> list[Part]:
    """The parts that make up the file, nothing missing; empty if they were joined already."""
    try:
        arrived = await asyncio.to_thread(storage.parts, upload.key, upload.storage_upload_id)
    except ObjectNotFound:
        if await _is_whole(upload, storage):
            return []
        raise Conflict(
            "The object store no longer has this upload: begin a new one.", code="upload_lost"
        ) from None
    found = coverage(upload, arrived)
    complaints = []
    if found.missing:
        complaints.append(f"{_named(found.missing)} did not arrive")
    if found.wrong:
        complaints.append(f"{_named(found.wrong)} arrived with the wrong size")
    if complaints:
        raise Conflict(
            f"Of {found.count} parts, {' and '.join(complaints)}: "
            "send these again, then complete the upload. Nothing else is lost.",
            code="parts_missing",
        )
    return found.parts


def _named(numbers: Iterable[int]) -> str:
    """`1–3, 7`"""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    names = [str(first) if first == last else f"{first}–{last}" for first, last in runs]
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many uploads were completed, expired and cleaned out of the object store."""

    completed: int
    expired: int
    cleaned: int


async def reconcile(
    uploads: UploadStore, storage: Storage, *, patience: timedelta = PATIENCE
) -> Reconciled:
    """Finishes what crashes left. Run it at start and every minute, in any number of processes.

    Raises Unavailable only when MongoDB does not answer; trouble with one upload is logged and
    left for the next round.
    """
    completed = expired = cleaned = 0
    for upload in await uploads.unfinished(older_than=patience):
        try:
            await complete(upload.id, uploads, storage)
            completed += 1
        except AcademyError as error:
            log.warning("upload %s could not be completed yet: %s", upload.id, error)
    for upload in await uploads.overdue():
        try:
            await uploads.end(upload.id, expired=True)
            expired += 1
        except Conflict:
            log.info("upload %s is being completed after its time", upload.id)
    for upload in await uploads.leftovers():
        try:
            # Ended for good: nothing can make a recording of this key any more.
            await asyncio.to_thread(storage.abort, upload.key, upload.storage_upload_id)
            await asyncio.to_thread(storage.delete_prefix, f"recordings/{upload.recording_id}/")
            await uploads.cleaned(upload.id)
            cleaned += 1
        except AcademyError as error:
            log.warning("upload %s could not be cleaned up yet: %s", upload.id, error)
    return Reconciled(completed=completed, expired=expired, cleaned=cleaned)
