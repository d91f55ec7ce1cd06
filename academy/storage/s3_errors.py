"""What S3 servers and the way to them answer, in the project's own kinds of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from academy.errors import AcademyError, Conflict, Invalid, ObjectNotFound, TooLarge, Unavailable
from academy.tallies import STORAGE_ERRORS

MISSING_OBJECT = {"NoSuchKey", "404", "NotFound"}
MISSING_UPLOAD = {"NoSuchUpload"}
_WRONG_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"}
_REFUSED = {
    "403",
    "401",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "AccountProblem",
    "AllAccessDisabled",
}

CONNECTION_ERRORS = (BotoCoreError, HTTPError, OSError)
"""Raised while bytes are on their way: nothing was said about the object."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises ObjectNotFound, Conflict, Invalid, TooLarge or Unavailable instead of botocore's errors."""
    try:
        yield
    except ClientError as error:
        raise _kind(error, what) from error
    except (BotoCoreError, HTTPError) as error:
        STORAGE_ERRORS.add("unreachable")
        raise Unavailable(
            f"The object storage does not answer ({what}): {error}. "
            "Check ACADEMY_S3_ENDPOINT_URL and the network."
        ) from error


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _kind(error: ClientError, what: str) -> AcademyError:
    code = code_of(error)
    if code in MISSING_OBJECT:
        return ObjectNotFound(f"There is no object {what!r}.")
    if code in MISSING_UPLOAD:
        return ObjectNotFound(
            "There is no such upload: it was never started, or it was completed or aborted.",
            code="upload_not_found",
        )
    if code in _WRONG_PARTS:
        return Conflict(
            f"The storage refused these parts ({code}): send the missing ones again.",
            code="invalid_part",
        )
    if code in {"BadDigest", "InvalidDigest"}:
        return Invalid("The bytes have another MD5 than announced.", code="bad_digest")
    if code == "EntityTooLarge":
        return TooLarge(f"{what!r} is larger than the storage allows.")
    if code == "PreconditionFailed":
        return Conflict(f"{what!r} changed while it was read.", code="object_changed")
    STORAGE_ERRORS.add("refused" if code in _REFUSED else code or "unknown")
    if code == "NoSuchBucket":
        return Unavailable("The bucket does not exist: create it, or correct ACADEMY_STORAGE_URL.")
    if code in _REFUSED:
        return Unavailable(
            f"The object storage refuses access ({code}, {what}): check the S3 credentials and "
            "that they may list the bucket."
        )
    return Unavailable(f"The object storage failed ({code}, {what}): {error}")
