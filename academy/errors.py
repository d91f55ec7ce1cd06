"""One hierarchy of errors by kind. The HTTP layer maps each kind to one status (`api/problems.py`).

`code` is a stable, machine-readable word; the message is a sentence for a person that says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AcademyError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(AcademyError):
    """There is nothing here, or it is not visible to you."""

    code = "not_found"


class ObjectNotFound(NotFound):
    """The object store has no object under this key."""

    code = "object_not_found"


class Gone(AcademyError):
    """This was here once and will not come back."""

    code = "gone"


class Conflict(AcademyError):
    """The resource is in a state that does not allow this."""

    code = "conflict"


class LeaseLost(Conflict):
    """The lease of this job was lost: another dispatcher owns it now, or it was cancelled."""

    code = "lease_lost"


class PreconditionFailed(AcademyError):
    """The resource changed since you read it: read it again and repeat the change."""

    code = "precondition_failed"


class Unauthenticated(AcademyError):
    """Sign in: send `Authorization: Bearer <token>`."""

    code = "unauthenticated"


class Forbidden(AcademyError):
    """Your account may not do this."""

    code = "forbidden"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong member of the input. `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    detail: str


class Invalid(AcademyError):
    """The input is not valid."""

    code = "invalid"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.errors = tuple(errors)


class BadCursor(Invalid):
    """The cursor is not one this API handed out: start again without it."""

    code = "bad_cursor"


class TooLarge(AcademyError):
    """The input is larger than allowed."""

    code = "too_large"


class RejectedMedia(AcademyError):
    """The recording cannot become a lecture. Never retried: the file itself must change."""

    code = "unreadable_media"


class Unavailable(AcademyError):
    """A service this depends on does not answer. Retried with backoff."""

    code = "unavailable"


class Transient(Unavailable):
    """Work failed for a reason that may pass: retried, a bounded number of times."""

    code = "transient"


class SettingsError(AcademyError):
    """A setting is wrong."""

    code = "settings"
