"""Object storage, as Protocols. Synchronous: API code calls it in threads, workers call it directly.

Errors: `academy.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from academy.uploads import Part


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    size: int
    content_type: str
    cache_control: str | None
    etag: str
    modified: datetime


class ObjectStore(Protocol):
    """Bytes under keys. Prefixes end in `/`; deletes are idempotent; a missing key is ObjectNotFound;
    keys cannot leave the root (Invalid); headers survive a round trip.
    """

    def put(
        self,
        key: str,
        source: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> None: ...
    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Pieces of bytes [start, end); `end` None means to the end."""

    def stat(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """In the order of the keys' bytes. S3 tells no headers here: `content_type` is empty."""

    def delete(self, key: str) -> None: ...
    def delete_prefix(self, prefix: str) -> None: ...
    def signed_url(self, key: str, *, expires_in: int) -> str:
        """A GET link, valid for at least `expires_in` seconds; the same one for a while (time buckets)."""


@dataclass(frozen=True, slots=True)
class SignedPart:
    number: int
    url: str
    method: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """One that is under way in the store, whether or not a document knows of it."""

    key: str
    upload_id: str
    started: datetime


class MultipartUploads(Protocol):
    def start(self, key: str, *, content_type: str) -> str:
        """The store's upload id."""

    def sign_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        *,
        expires_in: int,
        md5: str | None = None,
        size: int | None = None,
    ) -> SignedPart:
        """Where to PUT a part. The store refuses bytes of another `md5` (base64) or `size`, if given."""

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """What has arrived, by number. ObjectNotFound for an unknown upload."""

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """ObjectNotFound when the upload is unknown (also when it was completed before);
        Conflict when the parts are not those that arrived.
        """

    def abort(self, key: str, upload_id: str) -> None:
        """Idempotent."""

    def under_way(self) -> Iterator[MultipartUpload]:
        """All that were started and neither completed nor aborted; Unavailable from servers that
        do not tell (Alibaba Cloud OSS): there a lifecycle rule clears what is abandoned.
        """


class Storage(ObjectStore, MultipartUploads, Protocol):
    """What `wiring` hands out: both faces of one backend."""


@runtime_checkable
class LocalFiles(Protocol):
    """Optional capability: objects that are files on this machine, so ffmpeg can open them itself."""

    def path(self, key: str) -> Path:
        """ObjectNotFound when missing."""
