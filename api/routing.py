"""What all routers share: operation ids, and the problems each kind of route answers with."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.problems import MEDIA_TYPE

MEANINGS: Final = {
    400: "The cursor or the JSON cannot be read",
    401: "A token is missing or not valid",
    403: "Not allowed for this account",
    404: "Nothing here, or not visible",
    409: "Not possible in the present state",
    410: "Gone for good",
    412: "Changed since it was read (`If-Match`)",
    413: "Too large",
    415: "The body is not of a type this takes",
    422: "Invalid input; `errors` names the members",
    429: "Too many requests; `Retry-After` says when to come back",
    503: "A service this depends on does not answer",
}
Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """OpenAPI entries for the problems a route may answer with."""
    return {
        status: {
            "description": MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


READ: Final = problems(401, 404, 422)
LIST: Final = problems(400, 401, 422)
CREATE: Final = problems(401, 403, 404, 409, 413, 422)
CHANGE: Final = problems(401, 403, 404, 409, 412, 422)
ACT: Final = problems(401, 403, 404, 409, 422)


def _operation_id(route: APIRoute) -> str:
    return route.name


def router(tag: str, prefix: str = "/v1") -> APIRouter:
    """Operation ids are the names of the functions."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        generate_unique_id_function=_operation_id,
    )
