"""Objects in an S3-compatible bucket, through one boto3 client per process.

Everything here blocks on the network. Links are signed in `s3_links`, without the client.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from academy.errors import Conflict, ObjectNotFound, Unavailable
from academy.object_stores import MultipartUpload, ObjectInfo, SignedPart
from academy.storage.durable import PIECE
from academy.storage.object_headers import check_cache_control, check_content_type
from academy.storage.object_keys import LONGEST_KEY, check_key, check_prefix, check_range
from academy.storage.s3_connection import PARALLEL, S3Connection
from academy.storage.s3_errors import CONNECTION_ERRORS, code_of, translated
from academy.storage.s3_links import S3Links
from academy.uploads import Part

_LARGEST_PUT = 256 * 1024**2
"""Bytes above which a file goes up in parts: S3 takes at most 5 GiB in one request."""
_CHUNK = 64 * 1024**2
_RESUMPTIONS = 5


class S3Storage:
    """Both faces of the S3 backend. Keys live below `prefix` (empty, or ending in a slash)."""

    def __init__(
        self, bucket: str, prefix: str = "", connection: S3Connection | None = None
    ) -> None:
        connection = connection or S3Connection()
        self.bucket = bucket
        self.prefix = check_prefix(prefix.strip("/") + "/") if prefix.strip("/") else ""
        self._longest = LONGEST_KEY - len(self.prefix.encode())
        self.client = connection.client
        self._links = S3Links(connection, bucket)

    # Objects

    def put(
        self,
        key: str,
        source: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> None:
        headers: dict[str, Any] = {"ContentType": check_content_type(content_type)}
        if check_cache_control(cache_control) is not None:
            headers["CacheControl"] = cache_control
        name = self._name(key)
        with translated(key):
            if isinstance(source, bytes):
                self.client.put_object(Bucket=self.bucket, Key=name, Body=source, **headers)
            elif source.stat().st_size <= _LARGEST_PUT:
                with source.open("rb") as file:
                    self.client.put_object(Bucket=self.bucket, Key=name, Body=file, **headers)
            else:
                self.client.upload_file(
                    str(source),
                    self.bucket,
                    name,
                    ExtraArgs=headers,
                    Config=TransferConfig(
                        multipart_threshold=_CHUNK, multipart_chunksize=_CHUNK, max_concurrency=4
                    ),
                )

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        check_range(start, end)
        if start == end:
            self.stat(key)
            return iter(())
        body, etag = self._open(key, start, end)
        return self._pieces(key, body, etag, start, end)

    def stat(self, key: str) -> ObjectInfo:
        with translated(key):
            head = self.client.head_object(Bucket=self.bucket, Key=self._name(key))
        return ObjectInfo(
            key=key,
            size=head["ContentLength"],
            content_type=head.get("ContentType", ""),
            cache_control=head.get("CacheControl"),
            etag=head["ETag"].strip('"'),
            modified=head["LastModified"],
        )

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        name = self._folder(prefix)
        with translated(prefix):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=name
            ):
                for entry in page.get("Contents", []):
                    yield ObjectInfo(
                        key=entry["Key"].removeprefix(self.prefix),
                        size=entry["Size"],
                        content_type="",
                        cache_control=None,
                        etag=entry["ETag"].strip('"'),
                        modified=entry["LastModified"],
                    )

    def delete(self, key: str) -> None:
        self._delete(check_key(key, longest=self._longest))

    def delete_prefix(self, prefix: str) -> None:
        # Singly: the bulk request needs headers that boto3 no longer sends and some servers ask for.
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="s3-delete") as pool:
            for _ in pool.map(self._delete, [entry.key for entry in self.list(prefix)]):
                pass

    def signed_url(self, key: str, *, expires_in: int) -> str:
        return self._links.object_url(self._name(key), expires_in=expires_in)

    # Multipart uploads

    def start(self, key: str, *, content_type: str) -> str:
        check_content_type(content_type)
        with translated(key):
            return self.client.create_multipart_upload(
                Bucket=self.bucket, Key=self._name(key), ContentType=content_type
            )["UploadId"]

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
        return self._links.part(
            self._name(key), upload_id, number, expires_in=expires_in, md5=md5, size=size
        )

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        with translated(key):
            pages = self.client.get_paginator("list_parts").paginate(
                Bucket=self.bucket, Key=self._name(key), UploadId=upload_id
            )
            return [
                Part(number=part["PartNumber"], size=part["Size"], etag=part["ETag"].strip('"'))
                for page in pages
                for part in page.get("Parts", [])
            ]

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        if not parts:
            # Servers differ over an empty list; what it means does not.
            self.parts(key, upload_id)
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            # Ceph would put them in order without a word.
            raise Conflict(
                "Name the parts in the order of their numbers.", code="invalid_part_order"
            )
        try:
            self._complete(key, upload_id, parts)
        except Unavailable:
            # Ceph calls an upload that it does not know one that is just being completed.
            self.parts(key, upload_id)
            raise

    def abort(self, key: str, upload_id: str) -> None:
        try:
            with translated(key):
                self.client.abort_multipart_upload(
                    Bucket=self.bucket, Key=self._name(key), UploadId=upload_id
                )
        except ObjectNotFound:
            # NoSuchUpload or NoSuchKey, depending on the server: it is gone, as asked.
            return

    def under_way(self) -> Iterator[MultipartUpload]:
        with translated("the list of uploads"):
            for page in self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            ):
                for entry in page.get("Uploads", []):
                    yield MultipartUpload(
                        key=entry["Key"].removeprefix(self.prefix),
                        upload_id=entry["UploadId"],
                        started=entry["Initiated"],
                    )

    # Inside

    def _complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        with translated(key):
            self.client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=self._name(key),
                UploadId=upload_id,
                MultipartUpload={
                    "Parts": [
                        {"PartNumber": part.number, "ETag": f'"{part.etag.strip(chr(34))}"'}
                        for part in parts
                    ]
                },
            )

    def _name(self, key: str) -> str:
        return self.prefix + check_key(key, longest=self._longest)

    def _folder(self, prefix: str) -> str:
        return self.prefix + check_prefix(prefix, longest=self._longest)

    def _delete(self, key: str) -> None:
        try:
            with translated(key):
                self.client.delete_object(Bucket=self.bucket, Key=self._name(key))
        except ObjectNotFound:
            return

    def _open(
        self, key: str, start: int, end: int | None, etag: str | None = None
    ) -> tuple[StreamingBody | None, str]:
        """No body when the range begins at or after the object's end."""
        extra: dict[str, Any] = {}
        if start or end is not None:
            extra["Range"] = f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"
        if etag is not None:
            extra["IfMatch"] = f'"{etag}"'
        with translated(key):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self._name(key), **extra)
            except ClientError as error:
                if code_of(error) in {"InvalidRange", "416"}:
                    return None, ""
                raise
        return answer["Body"], answer["ETag"].strip('"')

    def _pieces(
        self, key: str, body: StreamingBody | None, etag: str, position: int, end: int | None
    ) -> Iterator[bytes]:
        failures = 0
        while body is not None:
            try:
                with closing(body):
                    while piece := body.read(PIECE):
                        position += len(piece)
                        failures = 0
                        yield piece
            except CONNECTION_ERRORS as error:
                failures += 1
                if failures > _RESUMPTIONS:
                    raise Unavailable(
                        f"Reading {key!r} broke off again and again: {error}"
                    ) from error
            else:
                return
            if position == end:
                return
            # Where it broke off, and only of the same object.
            body, _ = self._open(key, position, end, etag)
