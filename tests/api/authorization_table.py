"""The authorisation table: every route, and what each kind of person gets from it.

A new route is added here; without its row the suite fails. Rows name the status for those who may; the
others get what the kind of row says. Requests are made so that nothing changes: `STALE` for
conditional writes, things that do not exist, bodies that a rule refuses after the account was judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PEOPLE: Final = ("nobody", "learner", "stranger", "owner", "colleague", "admin")
"""`stranger`: an instructor of other courses; `colleague`: one who teaches this course."""
INSIDERS: Final = ("owner", "colleague", "admin")
STALE: Final = {"If-Match": '"999.x"'}
NOT_THERE: Final = 404


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    allowed: int
    body: Any = None
    headers: dict[str, str] | None = None
    hidden: int | None = None
    """The status for those who may, asked about the draft; None where there is no draft to hide."""

    def expected(self, person: str) -> int:
        may = {
            "public": PEOPLE,
            "signed in": PEOPLE[1:],
            "teachers": PEOPLE[2:],
            "insiders": INSIDERS,
            "admins": ("admin",),
            "guests": (),  # none of these people: see test_invitations.py
        }[self.kind]
        if person in may:
            return self.allowed
        return 401 if person == "nobody" else 403

    def expected_of_draft(self, person: str) -> int:
        """A draft does not exist for those who may not write it."""
        assert self.hidden is not None
        if person in INSIDERS:
            return self.hidden
        return 401 if person == "nobody" and self.kind != "public" else 404


def public(allowed: int = 200, *, hidden: int | None = None) -> Row:
    return Row("public", allowed, hidden=hidden)


def insiders(allowed: int, body: Any = None, headers: dict[str, str] | None = None) -> Row:
    return Row("insiders", allowed, body, headers, hidden=allowed)


def signed_in(allowed: int, body: Any = None, *, hidden: int | None = None) -> Row:
    return Row("signed in", allowed, body, hidden=hidden)


def admins(allowed: int, body: Any = None, headers: dict[str, str] | None = None) -> Row:
    return Row("admins", allowed, body, headers)


NAMED: Final = {"slug": "open", "name": "X"}
COURSE: Final = {"slug": "open", "title": "T", "language": "en"}

TABLE: Final[dict[str, Row]] = {
    # operations
    "GET /health/live": public(),
    "GET /health/ready": public(),
    "GET /metrics": public(),
    # catalogue
    "GET /v1/universities": public(),
    "GET /v1/universities/{slug}": public(NOT_THERE),
    "GET /v1/programmes": public(),
    "GET /v1/programmes/{slug}": public(NOT_THERE),
    "GET /v1/instructors": public(),
    "GET /v1/instructors/{slug}": public(NOT_THERE),
    "GET /v1/courses": public(),
    "GET /v1/courses/{slug}": public(hidden=200),
    "GET /v1/courses/{slug}/poster": public(NOT_THERE, hidden=NOT_THERE),
    "GET /v1/courses/{slug}/completion-rules": public(hidden=200),
    "GET /v1/lectures/{lecture_id}": public(hidden=200),
    "GET /v1/search": public(422),  # for want of words
    "GET /v1/opportunities": public(),
    "GET /v1/opportunities/{opportunity_id}": public(NOT_THERE),
    "GET /v1/certificates/{code}": public(NOT_THERE),
    "GET /v1/certificates/{code}/pdf": public(NOT_THERE),
    "GET /v1/certificates/{code}/badge": public(NOT_THERE),
    # no badge keys in this installation
    "GET /v1/badges/keys": public(NOT_THERE),
    "GET /v1/badges/keys/{kid}": public(NOT_THERE),
    "GET /v1/badges/issuer": public(NOT_THERE),
    "GET /v1/badges/revocations": public(NOT_THERE),
    # media: the path token is the permission
    "GET /v1/media/{token}/growing/{name}": public(NOT_THERE),
    "GET /v1/media/{token}/{name}": public(NOT_THERE),
    # studio
    "GET /v1/me/teaching": Row("teachers", 200),
    "POST /v1/courses": Row("teachers", 409, COURSE),
    "PATCH /v1/courses/{slug}": insiders(412, {"level": "beginner"}, STALE),
    "DELETE /v1/courses/{slug}": insiders(412, None, STALE),
    "POST /v1/courses/{slug}/publish": insiders(412, None, STALE),
    "POST /v1/courses/{slug}/unpublish": insiders(412, None, STALE),
    "PUT /v1/courses/{slug}/completion-rules": insiders(412, {"share": 0.5}, STALE),
    "GET /v1/courses/{slug}/statistics": insiders(200),
    "GET /v1/courses/{slug}/storage": insiders(200),
    "POST /v1/courses/{slug}/lectures": insiders(422, {"title": "T", "instructors": ["none"]}),
    "PATCH /v1/lectures/{lecture_id}": insiders(412, {"title": "Other"}, STALE),
    "DELETE /v1/lectures/{lecture_id}": insiders(412, None, STALE),
    "POST /v1/lectures/{lecture_id}/publish": insiders(412, None, STALE),
    "POST /v1/lectures/{lecture_id}/unpublish": insiders(412, None, STALE),
    # uploads and recordings
    "POST /v1/lectures/{lecture_id}/uploads": insiders(413, {"filename": "a", "size": 2**60}),
    "GET /v1/lectures/{lecture_id}/uploads": insiders(200),
    "GET /v1/uploads/{upload_id}": insiders(200),
    "POST /v1/uploads/{upload_id}/parts": insiders(422, {"numbers": [7]}),
    "POST /v1/uploads/{upload_id}/complete": insiders(409),
    "GET /v1/lectures/{lecture_id}/recording": insiders(NOT_THERE),
    "GET /v1/lectures/{lecture_id}/recording/events": insiders(NOT_THERE),
    "POST /v1/lectures/{lecture_id}/recording/retry": insiders(NOT_THERE),
    "POST /v1/lectures/{lecture_id}/recording/cancel": insiders(NOT_THERE),
    "GET /v1/lectures/{lecture_id}/captions": insiders(200),
    "PUT /v1/lectures/{lecture_id}/captions/{language}": insiders(422),  # for want of cues
    "DELETE /v1/lectures/{lecture_id}/captions/{language}": insiders(204),
    "GET /v1/lectures/{lecture_id}/invitations": insiders(200),
    "POST /v1/lectures/{lecture_id}/invitations": insiders(201, {}),
    "DELETE /v1/invitations/{invitation_id}": signed_in(NOT_THERE),
    "GET /v1/invitation": Row("guests", 200),
    # Uppy: the token is in the body, and then `key` is the permission
    "POST /v1/uppy/s3/multipart": public(422),
    "GET /v1/uppy/s3/params": public(409),
    "GET /v1/uppy/s3/multipart/{upload_id}": public(422),
    "GET /v1/uppy/s3/multipart/{upload_id}/{number}": public(422),
    "POST /v1/uppy/s3/multipart/{upload_id}/complete": public(422),
    "DELETE /v1/uppy/s3/multipart/{upload_id}": public(422),
    # last of its kind: it ends the upload that the rows above ask about
    "DELETE /v1/uploads/{upload_id}": insiders(204),
    # learners: everybody with an account, about themselves
    "GET /v1/courses/{slug}/enrolment": signed_in(NOT_THERE),
    "PUT /v1/courses/{slug}/enrolment": signed_in(201, hidden=201),
    "POST /v1/courses/{slug}/certificate": signed_in(409, {"name": "N"}, hidden=409),
    "DELETE /v1/courses/{slug}/enrolment": signed_in(204),
    "GET /v1/me": signed_in(200),
    "GET /v1/me/courses": signed_in(200),
    "GET /v1/me/progress": signed_in(200),
    "PUT /v1/me/progress/{lecture_id}": signed_in(
        204, {"position": 0, "watched": []}, hidden=204
    ),
    "GET /v1/me/certificates": signed_in(200),
    "DELETE /v1/me": signed_in(204),
    # administrators
    "POST /v1/universities": admins(201, NAMED),
    "PATCH /v1/universities/{slug}": admins(412, {"name": "X"}, STALE),
    "DELETE /v1/universities/{slug}": admins(412, None, STALE),
    "POST /v1/programmes": admins(201, NAMED),
    "PATCH /v1/programmes/{slug}": admins(412, {"name": "X"}, STALE),
    "DELETE /v1/programmes/{slug}": admins(412, None, STALE),
    "POST /v1/instructors": admins(201, NAMED),
    "PATCH /v1/instructors/{slug}": admins(412, {"name": "X"}, STALE),
    "DELETE /v1/instructors/{slug}": admins(412, None, STALE),
    "POST /v1/opportunities": admins(422, {"title": "T", "organisation": "O", "kind": "job",
        "url": "https://a.example/", "closes_on": "2999-01-01", "programmes": ["none"]}),
    "PATCH /v1/opportunities/{opportunity_id}": admins(NOT_THERE, {"title": "T"}),
    "DELETE /v1/opportunities/{opportunity_id}": admins(NOT_THERE),
    "POST /v1/certificates/{code}/revoke": admins(NOT_THERE, {"reason": "A mistake"}),
    "GET /v1/storage": admins(200),
    "GET /v1/storage/courses": admins(200),
    "GET /v1/storage/instructors": admins(200),
    "GET /v1/takedowns": admins(200),
    "POST /v1/lectures/{lecture_id}/takedown": admins(412, {"reason": "R"}, STALE),
    "GET /v1/admin/queue": admins(200),
    "GET /v1/admin/transcoders": admins(200),
    "GET /v1/admin/jobs": admins(200),
    "POST /v1/admin/jobs/{job_id}/retry": admins(NOT_THERE),
    "POST /v1/admin/jobs/{job_id}/cancel": admins(NOT_THERE),
    "POST /v1/admin/jobs/{job_id}/requeue": admins(NOT_THERE),
    "GET /v1/webhooks": admins(200),
    "POST /v1/webhooks": admins(422, {"url": "https://127.0.0.1/", "events": ["lecture.ready"]}),
    "GET /v1/webhooks/{webhook_id}": admins(NOT_THERE),
    "PATCH /v1/webhooks/{webhook_id}": admins(NOT_THERE, {"enabled": False}),
    "DELETE /v1/webhooks/{webhook_id}": admins(NOT_THERE),
    "GET /v1/webhooks/{webhook_id}/secret": admins(NOT_THERE),
    "POST /v1/webhooks/{webhook_id}/rotate": admins(NOT_THERE),
    "POST /v1/webhooks/{webhook_id}/test": admins(NOT_THERE),
    "GET /v1/webhooks/{webhook_id}/deliveries": admins(NOT_THERE),
    "GET /v1/webhooks/{webhook_id}/deliveries/{delivery_id}": admins(NOT_THERE),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": admins(NOT_THERE),
}  # fmt: skip

UNLISTED: Final = {
    # The signature in the link is the permission.
    "GET /v1/storage/objects/{key:path}",
    "HEAD /v1/storage/objects/{key:path}",
    "OPTIONS /v1/storage/objects/{key:path}",
    "OPTIONS /v1/storage/parts/{upload_id}/{number:int}",
    "PUT /v1/storage/parts/{upload_id}/{number:int}",
    # Pages and files: the same for everybody.
    "GET /",
    "GET /admin",
    "GET /certificates/{code}",
    "GET /courses/{slug}",
    "GET /docs",
    "GET /docs/start.js",
    "GET /invite",
    "GET /learn",
    "GET /lectures/{lecture_id}",
    "GET /openapi.json",
    "GET /opportunities",
    "GET /search",
    "GET /studio",
}
"""Routes outside the OpenAPI document, which have no account to judge."""
