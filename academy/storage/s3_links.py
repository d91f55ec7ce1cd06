"""Presigned links into one bucket. GET links are equal in every process for 15 minutes, and cached."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from academy.errors import Invalid
from academy.object_stores import SignedPart
from academy.storage.links import BUCKET
from academy.storage.presign import LONGEST, presigned
from academy.storage.s3_connection import S3Connection

_CACHED = 50_000
"""Links kept, about 500 bytes each."""


class S3Links:
    """Names are whole: the storage's prefix included."""

    def __init__(self, connection: S3Connection, bucket: str) -> None:
        self._credentials = connection.credentials
        self._region = connection.region
        self._base = connection.bucket_url(bucket)
        self._cache: dict[tuple[str, int, int], str] = {}

    def object_url(self, name: str, *, expires_in: int) -> str:
        """Valid for at least `expires_in` seconds, at most 15 minutes longer."""
        bucket = int(time.time()) // BUCKET
        link = self._cache.get((name, expires_in, bucket))
        if link is None:
            # Counted from the bucket's beginning, so that every process makes the same link.
            begins = datetime.fromtimestamp(bucket * BUCKET, UTC)
            link = self._sign("GET", name, at=begins, expires_in=expires_in + BUCKET)
            if len(self._cache) >= _CACHED:
                self._cache = {}
            self._cache[name, expires_in, bucket] = link
        return link

    def part(
        self,
        name: str,
        upload_id: str,
        number: int,
        *,
        expires_in: int,
        md5: str | None,
        size: int | None,
    ) -> SignedPart:
        headers = {} if md5 is None else {"Content-MD5": md5}
        # Every client sends the length by itself, and a browser lets nobody set it.
        signed = headers if size is None else headers | {"Content-Length": str(size)}
        url = self._sign(
            "PUT",
            name,
            at=datetime.now(UTC),
            expires_in=expires_in,
            query={"partNumber": str(number), "uploadId": upload_id},
            headers=signed,
        )
        return SignedPart(number=number, url=url, method="PUT", headers=headers)

    def _sign(
        self,
        method: str,
        name: str,
        *,
        at: datetime,
        expires_in: int,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        if not 0 < expires_in <= LONGEST:
            raise Invalid(f"A presigned link lives for 1 to {LONGEST} seconds, not {expires_in}.")
        return presigned(
            method,
            self._base + quote(name, safe="/~"),
            credentials=self._credentials.now(),
            region=self._region,
            at=at,
            expires_in=expires_in,
            query=query,
            headers=headers,
        )
