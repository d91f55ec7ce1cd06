"""Objects as files below one folder: `{root}/{key}`, headers in `.meta` folders beside them.

Behaves as S3 does, signed links included, so development and one-machine use need no other server.
Several processes may share the folder. Each put costs two file flushes and two folder flushes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from academy.errors import Conflict, ObjectNotFound
from academy.keys import KeyRing
from academy.object_stores import MultipartUpload, ObjectInfo, SignedPart
from academy.storage import sidecar
from academy.storage.disk_errors import told
from academy.storage.durable import copy_hashed, flush_folder, locked, pieces, staged
from academy.storage.links import DiskLinks, no_links
from academy.storage.object_headers import check_cache_control, check_content_type
from academy.storage.object_keys import check_key, check_prefix, check_range
from academy.storage.staging import IncomingPart, Staging
from academy.uploads import Part

_OWN = ".store"
_LOCKS = 16
"""Puts to one key wait for each other, and seldom for others; deletions wait for all puts."""
_ABANDONED = 24 * 3600
"""Seconds after which a half-written file was surely left behind by a crash."""


@told(
    *("put", "stat", "open", "delete", "delete_prefix", "start", "parts", "complete", "abort"),
    *("_walk", "_pieces"),
)
class DiskStorage:
    """Both faces of the disk backend, and the LocalFiles capability.

    Without `keys` and `public_url` everything works but signing, which raises SettingsError.
    """

    def __init__(
        self, root: Path, *, keys: KeyRing | None = None, public_url: str | None = None
    ) -> None:
        self.root = root.absolute()
        self._incoming = self.root / _OWN / "incoming"
        self._trash = self.root / _OWN / "trash"
        self._locks = self.root / _OWN / "locks"
        for folder in (self._incoming, self._trash, self._locks):
            folder.mkdir(parents=True, exist_ok=True)
        for name in ("folders", *map(str, range(_LOCKS))):
            (self._locks / name).touch()
        self._staging = Staging(self.root / _OWN / "uploads")
        self._links = DiskLinks(keys, public_url) if keys and public_url else None
        self._sweep()

    @property
    def links(self) -> DiskLinks:
        if self._links is None:
            raise no_links()
        return self._links

    # Objects

    def put(
        self,
        key: str,
        source: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> None:
        check_key(key)
        check_content_type(content_type)
        check_cache_control(cache_control)
        with staged(self._incoming) as fresh:
            etag = copy_hashed(source, fresh)
            self._publish(fresh, key, sidecar.Headers(content_type, cache_control, etag))

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        path = self.path(key)
        check_range(start, end)
        return self._pieces(path, start, end)

    def stat(self, key: str) -> ObjectInfo:
        path = self.path(key)
        while True:
            status = _status(path)
            if headers := _headers(path, status):
                return _info(key, status, headers)

    def open(self, key: str) -> tuple[BinaryIO, ObjectInfo]:
        """The object's file, unbuffered, and what describes exactly these bytes. The caller closes it."""
        path = self.path(key)
        while True:
            try:
                file = path.open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise _missing(key) from error
            status = os.fstat(file.fileno())
            if headers := _headers(path, status):
                return file, _info(key, status, headers)
            file.close()

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """In the order of the keys' bytes, as S3 lists them."""
        folder = self.root / check_prefix(prefix)
        return self._walk(folder, prefix)

    def delete(self, key: str) -> None:
        target = self.root / check_key(key)
        if not target.is_file():
            return
        # Nothing is published meanwhile: that holds the same lock, shared.
        with locked(self._locks / "folders"):
            target.unlink(missing_ok=True)
            sidecar.path_of(target).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                flush_folder(target.parent)
            self._prune(target.parent)

    def delete_prefix(self, prefix: str) -> None:
        folder = self.root / check_prefix(prefix)
        if not folder.is_dir():
            return
        grave = self._trash / secrets.token_hex(16)
        with locked(self._locks / "folders"):
            with suppress(FileNotFoundError):
                folder.rename(grave)
            self._prune(folder.parent)
        flush_folder(folder.parent)
        shutil.rmtree(grave, ignore_errors=True)

    def signed_url(self, key: str, *, expires_in: int) -> str:
        return self.links.object_url(check_key(key), expires_in=expires_in)

    def path(self, key: str) -> Path:
        path = self.root / check_key(key)
        if not path.is_file():
            raise _missing(key)
        return path

    # Multipart uploads

    def start(self, key: str, *, content_type: str) -> str:
        return self._staging.start(check_key(key), content_type=check_content_type(content_type))

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
        return self.links.part(
            check_key(key), upload_id, number, expires_in=expires_in, md5=md5, size=size
        )

    def receive_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        *,
        md5: str | None = None,
        size: int | None = None,
    ) -> AbstractContextManager[IncomingPart]:
        """What the storage controller writes a part's bytes to. Raises ObjectNotFound, Invalid."""
        return self._staging.receive(check_key(key), upload_id, number, md5=md5, size=size)

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        return self._staging.parts(check_key(key), upload_id)

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        content_type = self._staging.content_type(check_key(key), upload_id)
        with self._staging.completing(key, upload_id, parts) as (whole, etag):
            self._publish(whole, key, sidecar.Headers(content_type, None, etag))

    def abort(self, key: str, upload_id: str) -> None:
        self._staging.discard(check_key(key), upload_id)

    def under_way(self) -> Iterator[MultipartUpload]:
        return self._staging.under_way()

    # Inside

    def _publish(self, fresh: Path, key: str, headers: sidecar.Headers) -> None:
        target = self.root / key
        instant = time.time_ns()
        os.utime(fresh, ns=(instant, instant))
        try:
            with locked(self._locks / "folders", shared=True), locked(self._lock_of(key)):
                (target.parent / sidecar.FOLDER).mkdir(parents=True, exist_ok=True)
                sidecar.announce(target, fresh.stat(), headers)
                fresh.replace(target)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise Conflict(
                f"{key!r} cannot be stored: a part of it is an object, or it is a folder of others.",
                code="key_conflict",
            ) from error
        flush_folder(target.parent / sidecar.FOLDER)
        flush_folder(target.parent)

    def _lock_of(self, key: str) -> Path:
        return self._locks / str(zlib.crc32(key.encode()) % _LOCKS)

    def _walk(self, folder: Path, prefix: str) -> Iterator[ObjectInfo]:
        try:
            entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return
        named = [(entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in entries]
        for name, entry in sorted(named, key=lambda pair: os.fsencode(pair[0])):
            if name.endswith("/"):
                yield from self._walk(Path(entry.path), prefix + name)
            else:
                with suppress(ObjectNotFound):
                    yield replace(self.stat(prefix + name), content_type="", cache_control=None)

    def _prune(self, folder: Path) -> None:
        """Removes folders that hold nothing any more, so that their names are free for objects."""
        while folder != self.root:
            try:
                with suppress(FileNotFoundError):
                    (folder / sidecar.FOLDER).rmdir()
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _sweep(self) -> None:
        """Removes what crashed processes left half-written; living ones touch theirs within a day."""
        oldest = time.time() - _ABANDONED
        for entry in os.scandir(self._incoming):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < oldest:
                    Path(entry.path).unlink()
        self._staging.sweep(oldest)
        for entry in os.scandir(self._trash):
            shutil.rmtree(entry.path, ignore_errors=True)

    def _pieces(self, path: Path, start: int, end: int | None) -> Iterator[bytes]:
        try:
            yield from pieces(path, start, end)
        except FileNotFoundError as error:
            raise _missing(path.name) from error


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(path.name) from error


def _headers(path: Path, status: os.stat_result) -> sidecar.Headers | None:
    """None when the object was replaced, twice, while we looked for its description: look again."""
    found = sidecar.headers_of(path, status)
    if found is not None:
        return found
    with suppress(FileNotFoundError, NotADirectoryError):
        now = path.stat()
        if (now.st_ino, now.st_mtime_ns) != (status.st_ino, status.st_mtime_ns):
            return None
    return sidecar.guessed(path, status)


def _info(key: str, status: os.stat_result, headers: sidecar.Headers) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=status.st_size,
        content_type=headers.content_type,
        cache_control=headers.cache_control,
        etag=headers.etag,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _missing(key: str) -> ObjectNotFound:
    return ObjectNotFound(f"There is no object {key!r}.")
