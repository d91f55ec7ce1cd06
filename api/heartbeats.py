"""The one route that is asked thousands of times a second: a learner's heartbeat.

FastAPI documents it; its work is done without FastAPI's dependencies and models, which would cost three
times the CPU of everything else. It answers and refuses as the other routes do.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from academy.errors import Unauthenticated
from academy.learning import LONGEST
from academy.watched import MOST_RANGES
from api.context import Context, SignedIn, services
from api.routing import problems, router

Second = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]


class ProgressReport(BaseModel):
    """What a player saw. Ranges may repeat what was reported before: that repairs lost reports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    position: Second = Field(description="Where the player is now, seconds", examples=[42.5])
    watched: Annotated[
        list[Annotated[list[Second], Field(min_length=2, max_length=2)]],
        Field(
            max_length=MOST_RANGES,
            description="[start, end] pairs that were played, in seconds",
            examples=[[[0, 42.5]]],
        ),
    ]
    session: str | None = Field(
        default=None,
        max_length=64,
        description="Names this visit to the player; its reports are then ordered by `sequence`",
    )
    sequence: int = Field(default=0, ge=0, lt=2**53, description="Counts the visit's reports")


REPORT: Final = TypeAdapter(ProgressReport)


class _Direct(APIRoute):
    """Solves no dependencies: everything it needs is in the request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return _handle


async def _handle(request: Request) -> Response:
    held = services(request)
    identity = await held.authentication.identity(request)
    if identity is None:
        raise Unauthenticated
    body = await request.body()
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise RequestValidationError([], body=body)
    try:
        report = REPORT.validate_json(body)
    except ValidationError as error:
        raise _refused(error, body) from error
    context = Context(held, request, identity)
    return await report_progress(context, request.path_params["lecture_id"], report)


def _refused(error: ValidationError, body: bytes) -> RequestValidationError:
    """As FastAPI words it, so that the problem looks like every other."""
    wrong = [
        {**each, "loc": ("body", *each["loc"])}
        for each in error.errors(include_url=False, include_context=True)
    ]
    malformed = any(each["type"] == "json_invalid" for each in wrong)
    return RequestValidationError(wrong, body=None if malformed else from_json(body))


routes: Final = router("learners")
routes.route_class = _Direct


@routes.put(
    "/me/progress/{lecture_id}",
    status_code=204,
    responses=problems(400, 401, 404, 413, 422, 503),
)
async def report_progress(context: SignedIn, lecture_id: str, report: ProgressReport) -> Response:
    """Send every 10 to 15 seconds, and on pause, seek and page hide (`fetch` with `keepalive`).

    204 means written: the answer comes within about 250 ms, together with what others report. A report
    may come twice or late; ranges are merged. After a 503, or without an answer, send the ranges again
    with the next report.
    """
    await context.learning.report(
        lecture_id,
        position=report.position,
        watched=report.watched,
        session=report.session,
        sequence=report.sequence,
    )
    return Response(status_code=204)
