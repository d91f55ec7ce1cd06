"""Every error leaves as RFC 9457 `application/problem+json`. One table maps kinds to statuses."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy import errors
from academy.ids import new_id
from api.invalid_input import members_of
from api.status_phrases import code as named
from api.status_phrases import phrase

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
STATUSES: Final[dict[type[errors.AcademyError], int]] = {
    errors.BadCursor: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.RejectedMedia: 422,
    errors.Unavailable: 503,
}
PATCHES: Final = ("application/merge-patch+json", "application/json")
RETRY_AFTER: Final = "2"
"""Seconds, sent with 503."""


class InvalidMember(BaseModel):
    pointer: str = Field(description="JSON Pointer (RFC 6901) to the member", examples=["/title"])
    detail: str
    where: str | None = Field(
        default=None,
        alias="in",
        description="`query`, `path` or `header` when the pointer is not into the body",
    )


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:academy:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is nothing here, or it is not visible to you."])
    instance: str = Field(description="The path of the request", examples=["/v1/courses/nothing"])
    errors: list[InvalidMember] | None = Field(default=None, description="For invalid input")
    error_id: str | None = Field(default=None, description="For status 500: quote it in a report")


def problem(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    body = {
        "type": f"urn:academy:problem:{code}",
        "title": phrase(status),
        "status": status,
        "detail": detail,
        "instance": scope["path"],
        **members,
    }
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(
        json.dumps(body, ensure_ascii=False), status, media_type=MEDIA_TYPE, headers=kept
    )


def install(app: FastAPI) -> None:
    app.add_exception_handler(errors.AcademyError, answer_to)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, answer_to_framework)


async def answer_to(request: Request, error: Exception) -> Response:
    """An error of the domain (`academy.errors`) as a problem."""
    assert isinstance(error, errors.AcademyError)  # noqa: S101 - registered for these
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if status is None:
        raise error  # an error that is nobody's answer, such as SettingsError, is a 500
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = _challenge(error)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = RETRY_AFTER
    if isinstance(error, errors.Invalid) and error.errors:
        members["errors"] = [
            {"pointer": wrong.pointer, "detail": wrong.detail} for wrong in error.errors
        ]
    return problem(request.scope, status, error.code, error.message, headers=headers, **members)


def _challenge(error: errors.Unauthenticated) -> str:
    """RFC 6750 §3: a request without a token gets no error code, one with a bad token does."""
    if error.code == errors.Unauthenticated.code:
        return 'Bearer realm="academy"'
    return 'Bearer realm="academy", error="invalid_token"'


async def answer_to_framework(request: Request, error: Exception) -> Response:
    """Starlette's own: unknown routes, methods a route does not know, bodies over the limit."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
    status = error.status_code
    details = {
        400: "The body cannot be read: it is no JSON, or nested too deeply.",
        404: errors.NotFound.__doc__ or "",
        405: f"{request.method} is not possible here; the Allow header says what is.",
        413: "The body of the request is too large.",
    }
    detail = details.get(status) or str(error.detail)
    codes = {400: "malformed_json", 413: errors.TooLarge.code}
    code = codes.get(status) or named(status)
    return problem(request.scope, status, code, detail, headers=error.headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these
    wrong = error.errors()
    if any(each["type"] == "json_invalid" for each in wrong):
        detail = f"The body is not JSON: {wrong[0]['ctx']['error']}."
        return problem(request.scope, 400, "malformed_json", detail)
    if isinstance(error.body, bytes) and error.body:
        # Not even parsed: it was not said to be JSON.
        return problem(
            request.scope, 415, "unsupported_media_type", "Send the body as application/json."
        )
    return problem(
        request.scope,
        422,
        "invalid",
        "Some members are not valid: `errors` says which and why.",
        errors=members_of(wrong, error.body),
    )


class UnexpectedErrors:
    """Turns what nobody caught into a 500 with an `error_id`, and logs it under that id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            error_id = new_id()
            # The route's template: addresses of media carry tokens.
            route = getattr(scope.get("route"), "path", "an unknown route")
            log.exception("%s %s failed, error_id=%s", scope["method"], route, error_id)
            if started:
                raise
            detail = "Something went wrong on our side. Quote the error_id when you report it."
            answer = problem(scope, 500, "internal_error", detail, error_id=error_id)
            await answer(scope, receive, send)


class PatchTypes:
    """A PATCH is a merge patch (RFC 7396) whatever it is called, so what is called otherwise is
    refused: a JSON Patch would be misread. `Accept-Patch` (RFC 5789 §3.1) says what is taken.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "PATCH":
            named = Headers(scope=scope).get("content-type", "")
            if named.partition(";")[0].strip().lower() not in PATCHES:
                detail = f"Send a patch as {' or '.join(PATCHES)}."
                headers = {"Accept-Patch": ", ".join(PATCHES)}
                refused = problem(scope, 415, "unsupported_media_type", detail, headers=headers)
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


class BodyLimit:
    """Bodies of the API itself are small JSON; recordings go to storage, whose controller (under
    `exempt`) has its own limits.
    """

    def __init__(self, app: ASGIApp, most: int, exempt: str) -> None:
        self.app = app
        self._most = most
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._exempt):
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._most:
            detail = f"A request here has at most {self._most} bytes."
            await problem(scope, 413, errors.TooLarge.code, detail)(scope, receive, send)
            return
        taken = 0

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413)
            return message

        await self.app(scope, counting, send)
