"""Captions of a lecture, by language: WebVTT or SubRip in, one clean WebVTT track out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from academy.caption_files import MOST_BYTES
from academy.captioning import Captioning
from academy.captions import CaptionFile
from api.answers import answer
from api.context import Context, SignedIn
from api.routing import ACT, problems, router

routes: Final = router("captions")

Language = Annotated[
    str,
    Path(
        pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$",
        max_length=35,
        description="BCP 47",
        examples=["zh"],
    ),
]
CHANGES: Final = (
    "How many cues were `reordered`, shortened or joined because they were `overlapping`, or left out "
    "because they were `empty`, `repeated` or `after_end`"
)
FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"A WebVTT or SubRip (SRT) file of at most {MOST_BYTES} bytes, in any usual encoding",
        "content": {
            kind: {"schema": {"type": "string"}}
            for kind in ("text/vtt", "application/x-subrip", "text/plain")
        },
    }
}


class CaptionsOut(BaseModel):
    language: str
    label: str = Field(description="As the player's menu shows it")
    kind: Literal["subtitles", "captions"]
    cues: int
    uploaded_at: datetime

    @classmethod
    def of(cls, file: CaptionFile) -> CaptionsOut:
        return cls(**file.model_dump(include=set(cls.model_fields)))


class CaptionsTaken(CaptionsOut):
    changes: dict[str, int] = Field(description=CHANGES)
    playing: bool = Field(
        description="In `playback` already; otherwise as soon as there is something to play"
    )


class CaptionsList(BaseModel):
    items: list[CaptionsOut]


def captioning(context: Context) -> Captioning:
    return Captioning(context.access, context.stores, context.services.backend.storage)


@routes.get("/lectures/{lecture_id}/captions", response_model=CaptionsList, responses=ACT)
async def list_captions(context: SignedIn, lecture_id: str) -> Response:
    """What was uploaded. Tracks that the recording itself brought along are in `playback` only."""
    files = await captioning(context).given(lecture_id)
    return answer(context, CaptionsList(items=[CaptionsOut.of(file) for file in files]))


@routes.put(
    "/lectures/{lecture_id}/captions/{language}",
    response_model=CaptionsTaken,
    responses=ACT | problems(413),
    openapi_extra=FILE,
)
async def put_captions(
    context: SignedIn,
    request: Request,
    lecture_id: str,
    language: Language,
    kind: Annotated[
        Literal["subtitles", "captions"],
        Query(description="`captions` also tell what can be heard"),
    ] = "subtitles",
    label: Annotated[
        str | None,
        Query(min_length=1, max_length=80, description="Usually the language's own name"),
    ] = None,
) -> Response:
    """Replaces the captions in this language; also what the recording brought along in it.

    They belong to the lecture: a replaced recording keeps them. 422 names the line that cannot be read.
    """
    # Who may not write hears that first, without sending a megabyte.
    await context.access.lecture_to_write(lecture_id)
    taken = await captioning(context).put(
        lecture_id, language, await request.body(), kind=kind, label=label
    )
    return answer(
        context,
        CaptionsTaken(
            **CaptionsOut.of(taken.file).model_dump(),
            changes=taken.changes,
            playing=taken.playing,
        ),
    )


@routes.delete("/lectures/{lecture_id}/captions/{language}", status_code=204, responses=ACT)
async def remove_captions(context: SignedIn, lecture_id: str, language: Language) -> Response:
    """Repeatable. Also hides what the recording brought along in this language."""
    await captioning(context).remove(lecture_id, language)
    return Response(status_code=204)
