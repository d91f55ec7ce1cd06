"""Signed links to the API's own storage controller: what presigned URLs are to S3.

A link says what it allows (method, key, instant, for parts also number, size and digest); the HMAC
covers all of it. GET links change only every 15 minutes, so that what embeds them stays cacheable.
"""

from __future__ import annotations

import time
from urllib.parse import quote, urlencode

from academy.errors import Forbidden, SettingsError
from academy.keys import KeyRing
from academy.object_stores import SignedPart

BUCKET = 15 * 60
"""Seconds for which a signed GET link stays the same."""
OBJECTS = "/v1/storage/objects"
PARTS = "/v1/storage/parts"


def bucket_end(now: float, expires_in: float) -> int:
    """The instant a link made now ends: at least `expires_in` away, at most BUCKET later than that."""
    return (int(now + expires_in) // BUCKET + 1) * BUCKET


class DiskLinks:
    """Makes and checks the links of one disk storage."""

    def __init__(self, keys: KeyRing, public_url: str) -> None:
        self._keys = keys
        self._base = public_url.rstrip("/")

    def object_url(self, key: str, *, expires_in: int) -> str:
        expires = bucket_end(time.time(), expires_in)
        signature = self._keys.sign("disk-links", _message("GET", key, expires))
        return f"{self._base}{OBJECTS}/{quote(key)}?expires={expires}&signature={signature}"

    def check_object(self, key: str, *, expires: int, signature: str) -> None:
        """Raises Forbidden when the link was not made here or its time is over."""
        self._check(_message("GET", key, expires), expires, signature)

    def part(
        self,
        key: str,
        upload_id: str,
        number: int,
        *,
        expires_in: int,
        md5: str | None,
        size: int | None,
    ) -> SignedPart:
        expires = int(time.time()) + expires_in
        message = _message("PUT", key, expires, upload_id, number, md5, size)
        query = {
            "key": key,
            "expires": expires,
            "signature": self._keys.sign("disk-links", message),
        }
        if md5 is not None:
            query["md5"] = md5
        if size is not None:
            query["size"] = size
        url = f"{self._base}{PARTS}/{upload_id}/{number}?{urlencode(query)}"
        headers = {} if md5 is None else {"Content-MD5": md5}
        return SignedPart(number=number, url=url, method="PUT", headers=headers)

    def check_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        *,
        expires: int,
        signature: str,
        md5: str | None,
        size: int | None,
    ) -> None:
        """Raises Forbidden when the link was not made here or its time is over."""
        message = _message("PUT", key, expires, upload_id, number, md5, size)
        self._check(message, expires, signature)

    def _check(self, message: bytes, expires: int, signature: str) -> None:
        if not self._keys.verify("disk-links", message, signature):
            raise Forbidden(
                "This link was not signed by this server: ask for a new one.", code="bad_signature"
            )
        if time.time() >= expires:
            raise Forbidden("This link has expired: ask for a new one.", code="expired_link")


def no_links() -> SettingsError:
    return SettingsError("This storage signs no links: it was opened without a secret key.")


def _message(method: str, key: str, expires: int, *rest: str | int | None) -> bytes:
    # Keys hold no line break, so no two different links share a message.
    return "\n".join([method, key, str(expires), *map(str, rest)]).encode()
