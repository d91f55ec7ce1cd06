"""Every `type` a problem may have: `urn:academy:problem:{code}`, its status, and what it means.

A test looks for each code that the source raises, so none is missing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.status_phrases import phrase

PREFIX: Final = "urn:academy:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    status: int
    meaning: str


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    "bad_cursor": ProblemType(400, "The cursor belongs to no page of this very list"),
    "malformed_json": ProblemType(400, "The body is not JSON"),
    "unauthenticated": ProblemType(401, "A token is needed"),
    "invalid_token": ProblemType(401, "The token is not one this server accepts"),
    "token_expired": ProblemType(401, "The token has expired"),
    "forbidden": ProblemType(403, "This account may not do this"),
    "forbidden_target": ProblemType(403, "A webhook's address is not on the public internet"),
    "bad_signature": ProblemType(403, "A storage link is not complete or was changed"),
    "expired_link": ProblemType(403, "A storage link is too old: ask for a new one"),
    "not_found": ProblemType(404, "Nothing here, or not visible to this account"),
    "object_not_found": ProblemType(404, "The storage has no such object"),
    "taken_down": ProblemType(
        404, "The lecture was taken down; it may come back with another recording"
    ),
    "upload_not_found": ProblemType(404, "The storage knows no such upload"),
    "method_not_allowed": ProblemType(405, "The path knows other methods (`Allow`)"),
    "conflict": ProblemType(409, "Not possible in the present state"),
    "course_not_completed": ProblemType(409, "Too little was watched for a certificate yet"),
    "idempotency_in_progress": ProblemType(409, "The first request with this key still runs"),
    "invitation_used": ProblemType(409, "The invitation was used for another upload, or revoked"),
    "key_conflict": ProblemType(409, "The storage has a folder of this name"),
    "object_changed": ProblemType(409, "The object changed while it was read"),
    "parts_missing": ProblemType(409, "Parts of the upload have not arrived: `detail` names them"),
    "quota_exceeded": ProblemType(409, "The course or its owner has no room for this recording"),
    "invalid_part": ProblemType(409, "A part is not the one that arrived"),
    "invalid_part_order": ProblemType(409, "Parts are not in the order of their numbers"),
    "part_too_small": ProblemType(409, "A part but the last is below the storage's least size"),
    "upload_lost": ProblemType(409, "The storage lost the upload: begin a new one"),
    "gone": ProblemType(410, "Was here once and will not come back"),
    "invitation_ended": ProblemType(410, "The invitation has expired, or was revoked"),
    "link_expired": ProblemType(410, "A media address is too old: read the lecture again"),
    "precondition_failed": ProblemType(412, "Changed since it was read (`If-Match`)"),
    "too_large": ProblemType(413, "The body or the file is larger than allowed"),
    "part_too_large": ProblemType(413, "A part is larger than planned"),
    "unsupported_media_type": ProblemType(415, "The body is not of a type this route takes"),
    "invalid": ProblemType(422, "Members are not valid: see `errors`"),
    "bad_captions": ProblemType(422, "Not WebVTT or SRT: `detail` names the line"),
    "bad_digest": ProblemType(422, "What arrived does not have the digest that was announced"),
    "idempotency_key_reused": ProblemType(422, "The key came with another request before"),
    "incomplete_body": ProblemType(422, "A part ended early or has another size"),
    "invalid_cache_control": ProblemType(422, "Not a header a stored object can have"),
    "invalid_content_type": ProblemType(422, "Not a type a stored object can have"),
    "invalid_digest": ProblemType(422, "Not a base64 MD5 digest"),
    "invalid_key": ProblemType(422, "Not a name a stored object can have"),
    "invalid_range": ProblemType(422, "Not a range of bytes"),
    "unreadable_media": ProblemType(422, "The recording cannot become a lecture"),
    "too_many_requests": ProblemType(429, "The rate limit is reached (`Retry-After`)"),
    "header_too_large": ProblemType(431, "The request's line and headers are longer than 64 KiB"),
    "internal_error": ProblemType(500, "Our mistake: quote `error_id`"),
    "storage_full": ProblemType(
        503, "The disk that recordings are stored on is full (`Retry-After`)"
    ),
    "unavailable": ProblemType(503, "A service this depends on does not answer (`Retry-After`)"),
}


def titled(status: int) -> dict[str, str]:
    """Codes of one status, with their meanings."""
    return {code: each.meaning for code, each in PROBLEM_TYPES.items() if each.status == status}


def example_problem(status: int, code: str, detail: str) -> dict[str, object]:
    example: dict[str, object] = {
        "type": PREFIX + code,
        "title": phrase(status),
        "status": status,
        "detail": f"{detail}.",
        "instance": "/v1/courses",
    }
    if code == "invalid":
        example["errors"] = [
            {"pointer": "/title/en", "detail": "Input should be a valid string"},
            {"pointer": "/limit", "detail": "Input should be less than 101", "in": "query"},
        ]
    if code == "internal_error":
        example["error_id"] = "6f1d0c5b9b7d4d0f8a2e3c4b5a697887"
    return example
