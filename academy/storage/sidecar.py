"""An object's headers, kept in `.meta/{name}` beside the object's file.

Two files cannot be replaced in one step. So the sidecar is replaced first and describes both the old
bytes and the new, each recognised by size and modification time; whichever file a reader finds has its
own description, and a crash between the two steps changes nothing.
"""

from __future__ import annotations

import json
import mimetypes
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from academy.storage.durable import write_whole

FOLDER = ".meta"


@dataclass(frozen=True, slots=True)
class Headers:
    content_type: str
    cache_control: str | None
    etag: str


@dataclass(frozen=True, slots=True)
class _Version:
    size: int
    mtime_ns: int
    content_type: str
    cache_control: str | None
    etag: str

    def describes(self, status: os.stat_result) -> bool:
        return (self.size, self.mtime_ns) == (status.st_size, status.st_mtime_ns)

    @property
    def headers(self) -> Headers:
        return Headers(self.content_type, self.cache_control, self.etag)


def path_of(target: Path) -> Path:
    return target.parent / FOLDER / target.name


def announce(target: Path, fresh: os.stat_result, headers: Headers) -> None:
    """Says what will be at `target` next, without forgetting what is there now."""
    versions = [_Version(fresh.st_size, fresh.st_mtime_ns, **asdict(headers))]
    try:
        now = target.stat()
    except FileNotFoundError:
        pass
    else:
        versions += [version for version in _read(target) if version.describes(now)]
    write_whole(path_of(target), json.dumps([asdict(version) for version in versions]).encode())


def headers_of(target: Path, status: os.stat_result) -> Headers | None:
    """None when no description fits: a file that came by another way, or a put going on just now."""
    return next((v.headers for v in _read(target) if v.describes(status)), None)


def guessed(target: Path, status: os.stat_result) -> Headers:
    """For a file somebody copied into place: a type from its name, an ETag from its identity."""
    content_type, _ = mimetypes.guess_type(target.name)
    return Headers(
        content_type or "application/octet-stream",
        None,
        f"{status.st_mtime_ns:x}-{status.st_size:x}",
    )


def _read(target: Path) -> list[_Version]:
    try:
        return [_Version(**entry) for entry in json.loads(path_of(target).read_bytes())]
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return []
