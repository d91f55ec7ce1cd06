"""One-time upload links: made by who may write a lecture, used by somebody without an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.invitations import (
    MOST_DAYS,
    USUAL_DAYS,
    Invitation,
    InvitationState,
    token_of,
)
from academy.inviting import Errand, Inviting
from api.answers import answer
from api.context import Context, SignedIn, Writer
from api.idempotency import IdempotencyKey
from api.languages import Text
from api.recordings import RecordingOut
from api.routing import ACT, CREATE, problems, router

routes: Final = router("invitations")
DAY: Final = 86_400


class NewInvitation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    expires_in: int = Field(
        default=USUAL_DAYS * DAY, ge=60, le=MOST_DAYS * DAY, description="Seconds from now"
    )
    note: str = Field(default="", max_length=200, description="Whom it is for; for your eyes only")


class InvitationOut(BaseModel):
    id: str
    lecture_id: str
    state: InvitationState
    url: str = Field(description="The page to send: its fragment holds the permission")
    token: str = Field(description="The same permission as a bearer token")
    note: str
    created_at: datetime
    expires_at: datetime


class InvitationList(BaseModel):
    items: list[InvitationOut]


class ErrandOut(BaseModel):
    """What an invitation's bearer is shown."""

    state: InvitationState
    lecture_id: str
    lecture: Text
    course: Text
    expires_at: datetime
    upload_id: str | None = Field(description="The one that was completed")
    recording: RecordingOut | None


def inviting(context: Context) -> Inviting:
    return Inviting(context.access, context.stores, context.services.backend.storage)


def _out(context: Context, invitation: Invitation) -> InvitationOut:
    token = token_of(context.services.backend.keys, invitation.id)
    public_url = context.services.backend.settings.public_url
    return InvitationOut(
        **invitation.model_dump(include={"id", "lecture_id", "note", "created_at", "expires_at"}),
        state=invitation.state(now()),
        # In the fragment, which no server and no other site is ever told.
        url=f"{public_url}/invite#{token}",
        token=token,
    )


@routes.post(
    "/lectures/{lecture_id}/invitations",
    response_model=InvitationOut,
    status_code=201,
    responses=CREATE,
)
async def create_invitation(
    context: SignedIn, once: IdempotencyKey, lecture_id: str, new: NewInvitation
) -> Response:
    """A link for one recording of this lecture: no account, expires, can be revoked, only uploads."""

    async def work() -> Response:
        made = await inviting(context).invite(
            lecture_id, lifetime=timedelta(seconds=new.expires_in), note=new.note
        )
        return answer(context, _out(context, made), status=201)

    return await once(work)


@routes.get("/lectures/{lecture_id}/invitations", response_model=InvitationList, responses=ACT)
async def list_invitations(context: SignedIn, lecture_id: str) -> Response:
    """Newest first, at most 200."""
    found = await inviting(context).invitations(lecture_id)
    return answer(context, InvitationList(items=[_out(context, each) for each in found]))


@routes.delete("/invitations/{invitation_id}", status_code=204, responses=ACT)
async def revoke_invitation(context: SignedIn, invitation_id: str) -> Response:
    """At once; what is being sent through it ends. What was completed stays. Repeatable."""
    await inviting(context).revoke(invitation_id)
    return Response(status_code=204)


@routes.get("/invitation", response_model=ErrandOut, responses=ACT | problems(410))
async def get_invitation(context: Writer) -> Response:
    """For the bearer of an invitation: the lecture it is for, and what became of what they sent."""
    errand: Errand = await inviting(context).errand()
    recording, job = errand.recording, errand.job
    words = context.languages
    return answer(
        context,
        ErrandOut(
            state=errand.invitation.state(now()),
            lecture_id=errand.lecture.id,
            lecture=words.heading(errand.lecture.title, errand.lecture.language),
            course=words.text(errand.course.title, errand.course.language),
            expires_at=errand.invitation.expires_at,
            upload_id=errand.invitation.used_by,
            recording=None
            if recording is None or job is None
            else RecordingOut.of(recording, job, words),
        ),
    )
