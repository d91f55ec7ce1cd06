"""Uploading a recording, straight to object storage in parts, resumable."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from academy.coverage import coverage
from academy.intake import MOST_LINKS, NewUpload, WantedPart
from academy.uploads import Part, Upload, UploadState
from api.answers import answer
from api.context import SignedIn
from api.idempotency import IdempotencyKey
from api.routing import ACT, CREATE, problems, router

routes: Final = router("uploads")


class UploadOut(BaseModel):
    id: str
    lecture_id: str
    part_size: int = Field(description="Bytes of every part but the last")
    part_count: int
    expires_at: datetime
    state: UploadState

    @classmethod
    def of(cls, upload: Upload) -> Self:
        return cls(**upload.model_dump(include=set(cls.model_fields)))


class UploadUnderWay(UploadOut):
    filename: str
    size: int


class UploadList(BaseModel):
    items: list[UploadUnderWay]


class UploadStatus(UploadUnderWay):
    parts: list[Part] = Field(
        description="What has arrived, by number; one larger than planned stands for those behind it, too, "
        "unless one of them arrived by itself"
    )
    missing: list[int] = Field(
        description="Numbers of the planned parts that have yet to be sent, while the upload is open",
        examples=[[3, 4]],
    )
    recording_id: str | None = Field(description="Once completed")


class PartWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1)
    md5: str | None = Field(
        default=None, description="Base64 of these bytes' MD5 digest; the store then checks it"
    )
    count: int | None = Field(
        default=None,
        ge=1,
        description="How many neighbours are sent together: the bytes of this part and of those behind "
        "it in one request, as one larger part under this number. "
        "None of those behind it may have arrived yet",
    )


class PartsWanted(BaseModel):
    """Either `numbers`, or `parts` with a digest or a count for each."""

    model_config = ConfigDict(extra="forbid")

    numbers: list[Annotated[int, Field(ge=1)]] | None = Field(
        default=None, min_length=1, max_length=MOST_LINKS, examples=[[1, 2]]
    )
    parts: list[PartWanted] | None = Field(default=None, min_length=1, max_length=MOST_LINKS)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.numbers is None) == (self.parts is None):
            raise ValueError("give either `numbers` or `parts`")
        return self

    def wanted(self) -> list[WantedPart]:
        if self.parts is not None:
            return [WantedPart(part.number, part.md5, part.count or 1) for part in self.parts]
        return [WantedPart(number) for number in self.numbers or []]


class PartLink(BaseModel):
    number: int
    url: str
    method: str
    headers: dict[str, str] = Field(description="To be sent with the part, as they are")


class PartLinks(BaseModel):
    urls: list[PartLink]


class Completed(BaseModel):
    recording_id: str


@routes.post(
    "/lectures/{lecture_id}/uploads", response_model=UploadOut, status_code=201, responses=CREATE
)
async def begin_upload(
    context: SignedIn, once: IdempotencyKey, lecture_id: str, new: NewUpload
) -> Response:
    """Plans the parts. A lecture's newest completed upload is what viewers will get.

    An invitation's token does, too, here and in the other requests of an upload.
    """

    async def work() -> Response:
        upload = await context.intake.begin(lecture_id, new)
        return answer(
            context, UploadOut.of(upload), status=201, location=f"/v1/uploads/{upload.id}"
        )

    return await once(work)


@routes.get("/lectures/{lecture_id}/uploads", response_model=UploadList, responses=ACT)
async def list_uploads(context: SignedIn, lecture_id: str) -> Response:
    """Those that can go on, newest first, at most 20: also from another machine than they were begun on.

    A part's `etag` is the MD5 of its bytes in most stores: so a client knows whether it has the same file.
    """
    found = await context.intake.under_way(lecture_id)
    return answer(context, UploadList(items=[UploadUnderWay.of(each) for each in found]))


@routes.post(
    "/uploads/{upload_id}/parts", response_model=PartLinks, responses=ACT | problems(410, 413)
)
async def sign_parts(context: SignedIn, upload_id: str, asked: PartsWanted) -> Response:
    """Where to send each part, for an hour. The answer's `ETag` header identifies what arrived."""
    signed = await context.intake.sign(upload_id, asked.wanted())
    urls = [
        PartLink(number=part.number, url=part.url, method=part.method, headers=dict(part.headers))
        for part in signed
    ]
    return answer(context, PartLinks(urls=urls))


@routes.get("/uploads/{upload_id}", response_model=UploadStatus, responses=ACT | problems(410))
async def get_upload(context: SignedIn, upload_id: str) -> Response:
    """What has arrived: send what is `missing` to resume."""
    intake = context.intake
    upload = await intake.upload(upload_id)
    arrived = await intake.arrived(upload)
    under_way = upload.state is UploadState.OPEN and upload.planned
    done = upload.state is UploadState.COMPLETED
    status = UploadStatus(
        **dict(UploadOut.of(upload)),
        filename=upload.filename,
        size=upload.size,
        parts=list(arrived),
        missing=coverage(upload, arrived).wanted if under_way else [],
        recording_id=upload.recording_id if done else None,
    )
    return answer(context, status)


@routes.post(
    "/uploads/{upload_id}/complete",
    response_model=Completed,
    status_code=202,
    responses=ACT | problems(410, 413),
)
async def complete_upload(context: SignedIn, upload_id: str) -> Response:
    """Joins the parts and queues the transcoding. Repeatable. 409 names missing or wrong parts."""
    recording = await context.intake.complete(upload_id)
    return answer(context, Completed(recording_id=recording.id), status=202)


@routes.delete("/uploads/{upload_id}", status_code=204, responses=ACT)
async def abort_upload(context: SignedIn, upload_id: str) -> Response:
    """Throws away what arrived. Repeatable; 409 once completing."""
    await context.intake.abort(upload_id)
    return Response(status_code=204)
