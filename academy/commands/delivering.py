"""The way of one file to a lecture: created or resumed, sent, completed, published, waited for."""

from __future__ import annotations

import mimetypes
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from academy.commands.begun_elsewhere import begun_elsewhere
from academy.commands.display import Display
from academy.commands.following import follow
from academy.commands.lanes import Waiting
from academy.commands.remote import Remote
from academy.commands.resumption import Resumption, ResumptionFile
from academy.commands.sending import Parts, Run, send_parts
from academy.errors import Conflict, Gone, NotFound, Unauthenticated


class NotTranscoded(Conflict):
    """The recording did not become a lecture."""

    code = "not_transcoded"

    def __init__(self, message: str, *, lecture_id: str, code: str) -> None:
        super().__init__(message, code=code)
        self.lecture_id = lecture_id


@dataclass(frozen=True, slots=True)
class Order:
    """What to upload, and as what."""

    file: Path
    course: str
    """Slug; empty, as the title is, where `lecture_id` says which lecture."""
    title: str
    language: str
    publish: bool = False
    wait: bool = False
    lecture_id: str | None = None
    """An existing lecture to upload to, instead of a new one."""


async def deliver(order: Order, api: str, token: str, folder: Path, display: Display) -> str:
    """Creates or resumes the lecture, sends what is missing, publishes and waits as ordered.

    Returns the lecture's id. Raises AcademyError by kind; NotTranscoded with the failure's sentence.
    """
    place = order.course or str(order.lecture_id)
    kept = ResumptionFile(folder, api=api, course=place, title=order.title, file=order.file)
    async with Remote(api, token) as remote:
        await remote.reach()
        state = kept.load()
        if state is None:
            state = Resumption()
            kept.save(state)
        else:
            display.say("Resuming an earlier upload of this file.")
        try:
            lecture_id = await _lecture(remote, order, state, kept)
            if order.lecture_id is None and state.upload_id is None:
                display.say(f"Another machine can go on with this upload: --lecture {lecture_id}")
            if state.recording_id is None:
                await _send(remote, order, state, kept, display)
            if order.publish:
                await remote.post(f"/lectures/{lecture_id}/publish")
            if order.wait:
                await _wait(remote, lecture_id, display)
            else:
                page = f"{api.rstrip('/')}/studio#/lectures/{lecture_id}"
                display.say(f"Sent. What becomes of it: {page} (or wait for it with --wait).")
        except NotTranscoded:
            # The next run sends a corrected attempt to the same lecture.
            state.upload_id = state.recording_id = None
            kept.save(state)
            raise
        except (NotFound, Unauthenticated) as error:
            begun = state.upload_id is not None
            raise type(error)(_explained(error, order, begun=begun), code=error.code) from error
    kept.forget()
    return lecture_id


def _explained(error: NotFound | Unauthenticated, order: Order, *, begun: bool) -> str:
    if isinstance(error, Unauthenticated):
        how = ": the same command with it goes on from here." if begun else "."
        return f"{error.message} Give a valid one with --token{how}"
    if order.lecture_id is not None:
        return (
            f"{error.message} Is there a lecture “{order.lecture_id}” that your token may write to?"
        )
    if order.course in error.message:
        return error.message
    return f"{error.message} Is there a course “{order.course}” that your token may write to?"


async def _lecture(remote: Remote, order: Order, state: Resumption, kept: ResumptionFile) -> str:
    if order.lecture_id is not None:
        state.lecture_id = order.lecture_id
    if state.lecture_id is not None:
        try:
            await remote.get(f"/lectures/{state.lecture_id}")
        except (NotFound, Gone):
            if order.lecture_id is not None:
                raise
            fresh = Resumption()  # deleted meanwhile
            state.idempotency_key = fresh.idempotency_key
            state.lecture_id = state.upload_id = state.recording_id = None
            kept.save(state)
        else:
            return state.lecture_id
    made = await remote.post(
        f"/courses/{order.course}/lectures",
        {"title": {order.language: order.title}, "language": order.language},
        idempotency_key=state.idempotency_key,
    )
    state.lecture_id = str(made["id"])
    kept.save(state)
    return state.lecture_id


async def _send(
    remote: Remote, order: Order, state: Resumption, kept: ResumptionFile, display: Display
) -> None:
    """Sends the parts that storage does not have yet and completes, twice if a part got lost."""
    size = order.file.stat().st_size
    for attempt in (1, 2):
        upload = await _open_upload(remote, order, state, kept, size, display)
        if upload["state"] in {"open", "completing"}:
            parts = Parts(order.file, size, state.part_size, state.part_count)
            if upload["state"] == "open":
                # One that was just begun has nothing yet.
                missing = upload.get("missing", range(1, parts.part_count + 1))
                done = size - sum(parts.length(Run(number)) for number in missing)
                waiting = Waiting(missing, (part["number"] for part in upload.get("parts", [])))
                with display.bar("Uploading", size, done) as sent:
                    await _unwrapped(send_parts(remote, upload["id"], parts, waiting, sent))
            if order.file.stat().st_size != size:
                raise Conflict(f"{order.file} changed while it was being uploaded: start again.")
        try:
            completed = await remote.post(f"/uploads/{upload['id']}/complete")
        except Conflict:
            if attempt == 2:
                raise
            continue
        state.recording_id = str(completed["recording_id"])
        kept.save(state)
        return


async def _unwrapped(work: Any) -> None:
    """The first error of a task group, as itself."""
    try:
        await work
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _open_upload(
    remote: Remote,
    order: Order,
    state: Resumption,
    kept: ResumptionFile,
    size: int,
    display: Display,
) -> dict[str, Any]:
    """The upload to go on with; a new one where there is none, or where it was aborted or expired."""
    if state.upload_id is not None:
        try:
            known = await remote.get(f"/uploads/{state.upload_id}")
        except (NotFound, Gone):
            known = {"state": "expired"}
        if known["state"] not in {"aborted", "expired"}:
            return {"id": state.upload_id, **known}
    if order.lecture_id is not None:
        found = await begun_elsewhere(remote, order.lecture_id, order.file, size)
        if found is not None:
            display.say("Going on with an upload of this file that another machine began.")
            _keep(found, state, kept)
            return found
    guessed, _ = mimetypes.guess_type(order.file.name)
    made = await remote.post(
        f"/lectures/{state.lecture_id}/uploads",
        {
            "filename": order.file.name,
            "size": size,
            "content_type": guessed or "application/octet-stream",
        },
    )
    _keep(made, state, kept)
    return {"state": "open", **made}


def _keep(upload: dict[str, Any], state: Resumption, kept: ResumptionFile) -> None:
    state.upload_id = str(upload["id"])
    state.part_size, state.part_count = upload["part_size"], upload["part_count"]
    kept.save(state)


async def _wait(remote: Remote, lecture_id: str, display: Display) -> None:
    recording: dict[str, Any] = {}
    with display.bar("Transcoding", 1.0, 0.0) as move:
        reached = 0.0
        async with aclosing(follow(remote, lecture_id)) as changes:
            async for recording in changes:
                progress = float(recording.get("progress") or 0.0)
                move(progress - reached, **_details(recording))
                reached = progress
    for finding in (recording.get("inspection") or {}).get("findings", []):
        display.say(f"{finding['severity']}: {finding['message']}")
    if recording["state"] != "succeeded":
        failure = recording.get("failure") or {}
        raise NotTranscoded(
            failure.get("message") or f"Transcoding was {recording['state']}.",
            lecture_id=lecture_id,
            code=failure.get("code", "not_transcoded"),
        )


def _details(recording: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": recording["state"],
        "speed": recording.get("speed"),
        "eta": recording.get("eta") if recording["state"] == "running" else None,
    }
