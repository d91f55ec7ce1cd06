"""What `@uppy/aws-s3` asks of a Companion, so that Uppy sends recordings unmodified.

Sources: @uppy/aws-s3 6.3 `lib/s3-client/CompanionS3.js` and @uppy/aws-s3 5.1 `lib/index.js`, which ask
alike. Version 6 sends no header of ours, so the token comes as metadata with the request that begins an
upload; what follows is allowed by the `key` that request answered with, which is a signature over the
upload's id and not the object's name.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from academy.errors import Conflict, FieldError, Gone, Invalid, NotFound, Unauthenticated
from academy.intake import PART_LINK_SECONDS, ContentType, NewUpload, WantedPart
from academy.invitations import invitation_of
from academy.keys import KeyRing
from academy.uploads import MOST_PARTS
from api.answers import answer
from api.context import Anyone, Context, context_of, services
from api.routing import ACT, CREATE, problems, router

routes: Final = router("uploads", prefix="/v1/uppy/s3")


class UppyMetadata(BaseModel):
    """Of `file.meta`; Uppy's own members are let through."""

    model_config = ConfigDict(extra="allow")

    lecture: str = Field(description="The lecture's id", min_length=1, max_length=64)
    token: str | None = Field(
        default=None, description="Where no `Authorization` header is sent", max_length=8192
    )


class UppyBegin(BaseModel):
    filename: str = Field(min_length=1, max_length=4096)
    type: ContentType | Literal[""] | None = None
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="`lecture`, and `token` where no header is sent"
    )


class UppyBegun(BaseModel):
    uploadId: str  # noqa: N815 - Uppy's name
    key: str = Field(description="The permission to go on with this upload")


class UppyPartLink(BaseModel):
    url: str
    method: str = "PUT"
    headers: dict[str, str]
    expires: int = Field(description="Seconds")


class UppyPart(BaseModel):
    PartNumber: int
    Size: int
    ETag: str


class UppySent(BaseModel):
    PartNumber: int = Field(ge=1, le=MOST_PARTS)
    ETag: str = Field(max_length=200)


class UppyComplete(BaseModel):
    parts: list[UppySent] = Field(min_length=1, max_length=MOST_PARTS)


class UppyCompleted(BaseModel):
    location: str
    key: str
    bucket: str = ""
    recording_id: str


async def _granted(
    request: Request,
    upload_id: Annotated[str, Path(max_length=64)],
    key: Annotated[str, Query(max_length=200, description="As `POST …/multipart` answered")],
) -> Context:
    held = services(request)
    if not held.backend.keys.verify("uppy", upload_id.encode(), key):
        raise NotFound("There is no such upload, or this is not its key.")
    context = Context(held, request, None, upload_granted=upload_id)
    invitation_id = invitation_of((await context.intake.upload(upload_id)).created_by)
    if invitation_id is not None:
        # The key outlives it, and would outlive its end.
        await held.guests.standing(invitation_id)
    return context


Granted = Annotated[Context, Depends(_granted)]


@routes.post("/multipart", response_model=UppyBegun, responses=CREATE)
async def uppy_begin(asking: Anyone, begin: UppyBegin) -> Response:
    """`file.meta` names the `lecture`, and brings a `token` unless a header does."""
    meta = _metadata(begin)
    context = asking
    if context.identity is None and meta.token is not None:
        context = await context_of(asking.services, asking.request, f"Bearer {meta.token}")
    if context.identity is None:
        raise Unauthenticated("Send a token as a header, or as `token` in the file's metadata.")
    new = NewUpload(
        filename=begin.filename, size=1, content_type=begin.type or "application/octet-stream"
    )
    upload = await context.intake.begin_unplanned(
        meta.lecture, filename=new.filename, content_type=new.content_type
    )
    key = permission(context.services.backend.keys, upload.id)
    return answer(context, UppyBegun(uploadId=upload.id, key=key))


@routes.get("/params", responses=problems(409), response_class=Response)
async def uppy_params() -> Response:
    """Uppy's way for small files, which is not offered: parts resume, and their store is known."""
    raise Conflict("Recordings are sent in parts: set `shouldUseMultipart: true` in @uppy/aws-s3.")


@routes.get("/multipart/{upload_id}", response_model=list[UppyPart], responses=ACT | problems(410))
async def uppy_parts(context: Granted, upload_id: str) -> Response:
    """What has arrived."""
    intake = context.intake
    arrived = await intake.arrived(await intake.upload(upload_id))
    parts = [UppyPart(PartNumber=p.number, Size=p.size, ETag=p.etag) for p in arrived]
    return answer(context, parts)


@routes.get(
    "/multipart/{upload_id}/{number}",
    response_model=UppyPartLink,
    responses=ACT | problems(410, 413),
)
async def uppy_sign(
    context: Granted, upload_id: str, number: Annotated[int, Path(ge=1, le=MOST_PARTS)]
) -> Response:
    """Where to send one part, for an hour. 413, or 409 `quota_exceeded`, once too much has arrived."""
    (part,) = await context.intake.sign(upload_id, [WantedPart(number)])
    return answer(
        context,
        UppyPartLink(
            url=part.url,
            method=part.method,
            headers=dict(part.headers),
            expires=PART_LINK_SECONDS,
        ),
    )


@routes.post(
    "/multipart/{upload_id}/complete",
    response_model=UppyCompleted,
    responses=ACT | problems(410, 413),
)
async def uppy_complete(
    request: Request, context: Granted, upload_id: str, told: UppyComplete
) -> Response:
    """Joins the parts and queues the transcoding. 409 when the store holds others than Uppy sent."""
    intake = context.intake
    upload = await intake.upload(upload_id)
    try:
        there = {part.number: part.etag for part in await intake.arrived(upload)}
    except Gone:
        there = {}  # Perhaps joined by a request before this one: completing knows.
    sent = {part.PartNumber: part.ETag.strip('"') for part in told.parts}
    if there and there != sent:
        raise Conflict(
            "The store holds other parts than these: list them and send the missing ones again.",
            code="parts_missing",
        )
    recording = await intake.complete(upload_id)
    lecture = f"{services(request).backend.settings.public_url}/v1/lectures/{upload.lecture_id}"
    key = permission(services(request).backend.keys, upload_id)
    return answer(context, UppyCompleted(location=lecture, key=key, recording_id=recording.id))


@routes.delete(
    "/multipart/{upload_id}", responses=ACT | problems(410), response_model=dict[str, str]
)
async def uppy_abort(context: Granted, upload_id: str) -> Response:
    """Throws away what arrived. Repeatable."""
    await context.intake.abort(upload_id)
    return answer(context, {})


def permission(keys: KeyRing, upload_id: str) -> str:
    return keys.sign("uppy", upload_id.encode())


def _metadata(begin: UppyBegin) -> UppyMetadata:
    lecture = begin.metadata.get("lecture")
    if not isinstance(lecture, str) or not 0 < len(lecture) <= 64:
        detail = "set `meta: {lecture: '<id>'}` in Uppy: the lecture that the recording is for"
        raise Invalid(
            "Which lecture is this for?", errors=[FieldError("/metadata/lecture", detail)]
        )
    token = begin.metadata.get("token")
    return UppyMetadata(lecture=lecture, token=token if isinstance(token, str) else None)
