"""The OpenAPI document: what FastAPI derives, with what it cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem

SUMMARY: Final = "Courses, lectures and their recordings: from upload to playback."
DESCRIPTION: Final = """\
The backend of a free lecture-video portal.

- **Texts** are written as maps by language and read as one string, chosen by `lang` or
  `Accept-Language`; `lang=*` returns the maps.
- **Reads** carry an `ETag`; send it back as `If-None-Match` to learn whether anything changed, or as
  `If-Match` with a write to make sure that nobody else wrote in between.
- **Errors** are problem details (RFC 9457), `application/problem+json`.
- **Lists** are paged by `cursor`; follow `next_cursor` until it is null.
- **Times** are seconds, sizes bytes, bit rates bits per second, instants RFC 3339 in UTC.
"""
TAGS: Final = [
    {"name": "catalogue", "description": "For everyone; no token needed"},
    {"name": "studio", "description": "Courses and lectures, for instructors and administrators"},
    {"name": "partners", "description": "Universities, programmes, instructors: administrators"},
    {"name": "uploads", "description": "Recordings, straight to object storage, resumable"},
    {"name": "recordings", "description": "From upload to playable: progress, retry, cancel"},
    {"name": "media", "description": "What `playback` points to"},
    {"name": "webhooks", "description": "Events sent to other systems: administrators"},
    {"name": "operations", "description": "For operators"},
]
PUBLIC: Final = "catalogue"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once per application; the same for every setting."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        _describe_problems(made)
        for method, operation in _operations(made):
            _complete(method, operation)
        app.openapi_schema = made
    return app.openapi_schema


def _describe_problems(made: dict[str, Any]) -> None:
    schemas: dict[str, Any] = made["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    # FastAPI's own shape of invalid input, which this API does not use.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    if _is_fastapis_own(responses.get("422")):
        responses["422"] = {
            "description": "Invalid input; `errors` names the members",
            "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
        }
    responses["default"] = {
        "description": "Any other problem",
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
    }
    if PUBLIC in operation.get("tags", []):
        # A token is possible, to see one's own drafts, and never needed.
        operation["security"] = [{}, {"bearer": []}]
    if method == "patch":
        content = operation["requestBody"]["content"]
        content["application/merge-patch+json"] = content["application/json"]


def _is_fastapis_own(response: dict[str, Any] | None) -> bool:
    return response is not None and "HTTPValidationError" in str(response)


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in made["paths"].values():
        yield from path.items()
