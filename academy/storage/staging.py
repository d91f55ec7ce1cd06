"""Multipart uploads on disk: one folder per upload, one file per part.

A part's file is named `{number}-{md5}-{size}`: a listing of the folder is the list of parts, and there
is no second record that could disagree. Completing reads the parts once, inside the kernel.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from academy.errors import Conflict, Invalid, ObjectNotFound, TooLarge
from academy.ids import new_id
from academy.object_stores import MultipartUpload
from academy.storage.disk_errors import told
from academy.storage.durable import (
    append,
    flush,
    flush_folder,
    locked,
    staged,
    write_all,
    write_whole,
)
from academy.uploads import LARGEST_PART, MOST_PARTS, SMALLEST_PART, Part

ABOUT = "upload.json"
"""What the upload is for; its lock is the upload's."""

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"(?P<number>\d{5})-(?P<etag>[0-9a-f]{32})-(?P<size>\d+)")


@told("write", "commit")
class IncomingPart:
    """A part on its way in: nothing of it can be seen before `commit`.

    `write` and `commit` block on MD5 and the disk: call them off the event loop.
    """

    def __init__(
        self, path: Path, file: BinaryIO, number: int, *, md5: bytes | None, size: int | None
    ) -> None:
        self._path = path
        self._file = file
        self._number = number
        self._expected_md5 = md5
        self._expected_size = size
        self._digest = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._using = threading.Lock()

    def close(self) -> None:
        """Waits for a write that is going on in a thread nobody waits for any more."""
        with self._using:
            self._file.close()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Raises TooLarge once there is more than the part may hold."""
        self._size += len(data)
        if self._size > (LARGEST_PART if self._expected_size is None else self._expected_size):
            raise TooLarge("There are more bytes than this part has.", code="part_too_large")
        self._digest.update(data)
        with self._using:
            write_all(self._file, data)

    def commit(self) -> Part:
        """Puts the part in place of any earlier one of its number.

        Invalid when size or digest are not those announced; ObjectNotFound when the upload is over.
        """
        if self._expected_size is not None and self._size != self._expected_size:
            raise Invalid(
                f"This part has {self._expected_size} bytes, but {self._size} arrived: send it again.",
                code="incomplete_body",
            )
        if self._expected_md5 is not None and self._digest.digest() != self._expected_md5:
            raise Invalid(
                "The bytes that arrived have another MD5 than announced: send the part again.",
                code="bad_digest",
            )
        flush(self._file)
        part = Part(number=self._number, size=self._size, etag=self._digest.hexdigest())
        folder = self._path.parent
        target = folder / _file_name(part)
        try:
            with locked(folder / ABOUT):
                self._path.replace(target)
                for earlier, path in _part_files(folder):
                    if earlier.number == part.number and path != target:
                        path.unlink()
        except FileNotFoundError as error:
            raise unknown_upload() from error
        flush_folder(folder)
        return part


class Staging:
    """The uploads that are under way below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, key: str, *, content_type: str) -> str:
        upload_id = new_id()
        fresh = self._folder / f".new-{upload_id}"
        fresh.mkdir()
        about = {"key": key, "content_type": content_type}
        write_whole(fresh / ABOUT, json.dumps(about).encode())
        fresh.rename(self._folder / upload_id)
        flush_folder(self._folder)
        return upload_id

    def content_type(self, key: str, upload_id: str) -> str:
        """ObjectNotFound unless this upload is under way for this key."""
        about = self._about(self._upload(upload_id))
        if about["key"] != key:
            raise unknown_upload()
        return about["content_type"]

    @contextmanager
    def receive(
        self, key: str, upload_id: str, number: int, *, md5: str | None, size: int | None
    ) -> Iterator[IncomingPart]:
        """Leaving the block without a commit removes what was written."""
        if not 1 <= number <= MOST_PARTS:
            raise Invalid(f"Parts are numbered from 1 to {MOST_PARTS}.", code="invalid_part")
        digest = None if md5 is None else digest_of(md5)
        self.content_type(key, upload_id)
        with staged(self._upload(upload_id)) as path:
            try:
                file = path.open("xb", buffering=0)
            except FileNotFoundError as error:
                raise unknown_upload() from error
            with closing(IncomingPart(path, file, number, md5=digest, size=size)) as part:
                yield part

    def parts(self, key: str, upload_id: str) -> list[Part]:
        self.content_type(key, upload_id)
        try:
            return sorted(
                (part for part, _ in _part_files(self._upload(upload_id))), key=lambda p: p.number
            )
        except FileNotFoundError as error:
            raise unknown_upload() from error

    @contextmanager
    def completing(
        self, key: str, upload_id: str, parts: Sequence[Part]
    ) -> Iterator[tuple[Path, str]]:
        """The assembled file and its ETag. The caller moves the file away; then the upload is over.

        When the caller fails or dies, every part is still there and completing can be repeated.
        """
        folder = self._upload(upload_id)
        with ExitStack() as held:
            try:
                held.enter_context(locked(folder / ABOUT))
            except FileNotFoundError as error:
                raise unknown_upload() from error
            self.content_type(key, upload_id)
            chosen = _chosen(parts, {p.number: (p, path) for p, path in _part_files(folder)})
            with staged(folder) as whole:
                _assemble(chosen, whole)
                yield whole, _joint_etag(parts)
            _bury(folder)

    def discard(self, key: str, upload_id: str) -> None:
        """Idempotent."""
        with suppress(ObjectNotFound, FileNotFoundError):
            self.content_type(key, upload_id)
            folder = self._upload(upload_id)
            with locked(folder / ABOUT):
                _bury(folder)

    def under_way(self) -> Iterator[MultipartUpload]:
        for entry in os.scandir(self._folder):
            if not _UPLOAD_ID.fullmatch(entry.name):
                continue
            about = Path(entry.path) / ABOUT
            with suppress(ObjectNotFound, FileNotFoundError):
                yield MultipartUpload(
                    key=self._about(Path(entry.path))["key"],
                    upload_id=entry.name,
                    started=datetime.fromtimestamp(about.stat().st_mtime, UTC),
                )

    def sweep(self, oldest: float) -> None:
        """Removes what crashed processes left between two steps before this instant."""
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                if entry.name.startswith(".") and entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry.path, ignore_errors=True)

    def _upload(self, upload_id: str) -> Path:
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise unknown_upload()
        return self._folder / upload_id

    @staticmethod
    def _about(folder: Path) -> dict[str, str]:
        try:
            about: dict[str, str] = json.loads((folder / ABOUT).read_bytes())
        except FileNotFoundError as error:
            raise unknown_upload() from error
        return about


def unknown_upload() -> ObjectNotFound:
    return ObjectNotFound(
        "There is no such upload: it was never started, or it was completed or aborted.",
        code="upload_not_found",
    )


def digest_of(md5: str) -> bytes:
    """The 16 bytes behind a `Content-MD5` (RFC 1864: base64). Raises Invalid."""
    try:
        digest = base64.b64decode(md5, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise Invalid("An MD5 is 16 bytes in base64, 24 characters.", code="invalid_digest")
    return digest


def _bury(folder: Path) -> None:
    # Renamed first: from here on the upload is unknown, however long the deletion takes.
    grave = folder.with_name(f".old-{folder.name}")
    folder.rename(grave)
    shutil.rmtree(grave, ignore_errors=True)


def _file_name(part: Part) -> str:
    return f"{part.number:05d}-{part.etag}-{part.size}"


def _part_files(folder: Path) -> list[tuple[Part, Path]]:
    found = []
    for path in folder.iterdir():
        if match := _PART.fullmatch(path.name):
            part = Part(number=int(match["number"]), etag=match["etag"], size=int(match["size"]))
            found.append((part, path))
    return found


def _chosen(parts: Sequence[Part], there: dict[int, tuple[Part, Path]]) -> list[Path]:
    """The files of the parts to join. S3's rules: ascending, as they arrived, 5 MiB but for the last."""
    if not parts:
        raise Conflict("There is no part to complete the upload with.", code="invalid_part")
    numbers = [part.number for part in parts]
    if numbers != sorted(set(numbers)):
        raise Conflict("Parts are named once each, in ascending order.", code="invalid_part_order")
    paths = []
    for wanted in parts:
        part, path = there.get(wanted.number, (None, None))
        if part is None or path is None or part.etag != wanted.etag.strip('"'):
            raise Conflict(
                f"Part {wanted.number} did not arrive, or with other bytes: send it again.",
                code="invalid_part",
            )
        if part.size < SMALLEST_PART and wanted is not parts[-1]:
            raise Conflict(
                f"Part {wanted.number} has {part.size} bytes; all but the last need at least "
                f"{SMALLEST_PART}.",
                code="part_too_small",
            )
        paths.append(path)
    return paths


def _assemble(chosen: Sequence[Path], whole: Path) -> None:
    if len(chosen) == 1:
        # The part is the object: a second name for the same bytes, nothing to copy.
        try:
            os.link(chosen[0], whole)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
                raise
        else:
            return
    with whole.open("xb", buffering=0) as file:
        for path in chosen:
            append(path, file)
        flush(file)


def _joint_etag(parts: Sequence[Part]) -> str:
    """As S3 makes it: MD5 over the parts' MD5s, and their number."""
    joined = hashlib.md5(usedforsecurity=False)
    for part in parts:
        joined.update(bytes.fromhex(part.etag.strip('"')))
    return f"{joined.hexdigest()}-{len(parts)}"
