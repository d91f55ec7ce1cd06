"""Headers as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any, Final


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


HEADERS: Final[dict[str, Any]] = {
    "ETag": _header(
        "Revision and digest: send it back as `If-None-Match`, or as `If-Match` with a write",
        '"3.9b74c9897bac770ffc029102"',
    )
    | {"required": True},
    "Content-Language": _header("Of titles and names", "en"),
    "Link": _header(
        "The next page (RFC 8288), relative to this one; missing on the last",
        '<?limit=20&cursor=eyJhIjoxfQ>; rel="next"',
    ),
    "Location": _header("Where the new resource is", "/v1/lectures/6f1d0c5b9b7d4d0f"),
    "Retry-After": _header("Seconds", "2"),
    "RateLimit": _header(
        "What is left of the limit, and in how many seconds it is whole again",
        '"reads";r=2999;t=58',
    ),
    "RateLimit-Policy": _header("The limit: a quota in a window of seconds", '"reads";q=3000;w=60'),
    "WWW-Authenticate": _header("RFC 6750", 'Bearer realm="academy"'),
    "Accept-Patch": _header("RFC 5789", "application/merge-patch+json, application/json"),
}
PROBLEM_HEADERS: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    415: ("Accept-Patch",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}
