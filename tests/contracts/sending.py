"""A client with one multipart upload under way."""

from __future__ import annotations

import base64
import hashlib
import secrets

import httpx

from academy.errors import ObjectNotFound
from academy.object_stores import Storage
from academy.uploads import SMALLEST_PART, Part

KEY = "recordings/5a/source"
FIRST = secrets.token_bytes(SMALLEST_PART)
SECOND = secrets.token_bytes(SMALLEST_PART + 1)
LAST = b"the end"


def md5_of(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class Sending:
    """A client with one upload under way."""

    def __init__(self, storage: Storage, http: httpx.Client, key: str = KEY) -> None:
        self.storage = storage
        self.http = http
        self.key = key
        self.upload_id = storage.start(key, content_type="video/x-matroska")

    def put(self, number: int, body: bytes, **signed: str | int) -> httpx.Response:
        part = self.storage.sign_part(
            self.key,
            self.upload_id,
            number,
            expires_in=600,
            **signed,  # type: ignore[arg-type]
        )
        assert part.number == number
        return self.http.request(part.method, part.url, content=body, headers=part.headers)

    def send(self, number: int, body: bytes, **signed: str | int) -> Part:
        answer = self.put(number, body, **signed)
        assert answer.status_code == 200, answer.text
        return Part(number=number, size=len(body), etag=answer.headers["etag"].strip('"'))

    def parts(self) -> list[Part]:
        return list(self.storage.parts(self.key, self.upload_id))

    def complete(self, parts: list[Part]) -> None:
        self.storage.complete(self.key, self.upload_id, parts)

    def abort(self) -> None:
        self.storage.abort(self.key, self.upload_id)


def missing(storage: Storage, key: str = KEY) -> bool:
    try:
        storage.stat(key)
    except ObjectNotFound:
        return True
    return False
