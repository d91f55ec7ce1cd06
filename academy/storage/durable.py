"""Files that are there whole or not at all, also after a power cut.

A file is written beside its place, flushed to the disk, then renamed. Costs one flush per file and
one per folder.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PIECE = 1024**2
"""Bytes read or written at once."""
_LARGEST_KERNEL_COPY = 1 << 30


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A fresh name in `folder`. Whatever still bears it at the end is removed."""
    path = folder / f".in-{secrets.token_hex(16)}"
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def flush(file: BinaryIO) -> None:
    """Blocks until the file's bytes are on the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Blocks until renames in this folder are on the disk. A folder that went away needs none."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, data: bytes) -> None:
    """Replaces the file at `path` at once. The folder is not flushed."""
    with staged(path.parent) as fresh:
        with fresh.open("xb") as file:
            file.write(data)
            flush(file)
        fresh.replace(path)


@contextmanager
def locked(file: Path, *, shared: bool = False) -> Iterator[None]:
    """Holds this file's lock, against other threads and other processes.

    FileNotFoundError when the file is gone, also when it went while waiting. A file, not a folder:
    network file systems lock only what is open for writing.
    """
    fd = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(fd), file.stat()):
            raise FileNotFoundError(errno.ENOENT, "the file was replaced", str(file))
        yield
    finally:
        os.close(fd)


def pieces(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes [start, end) of a file, at most PIECE at once."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            piece = file.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def copy_hashed(source: bytes | Path, target: Path) -> str:
    """Writes a new file, flushed; returns its MD5 in hexadecimal, as S3 does for an ETag."""
    digest = hashlib.md5(usedforsecurity=False)
    with target.open("xb", buffering=0) as file:
        for piece in (source,) if isinstance(source, bytes) else pieces(source):
            digest.update(piece)
            write_all(file, piece)
        flush(file)
    return digest.hexdigest()


def write_all(file: BinaryIO, data: bytes | bytearray | memoryview) -> None:
    """To an unbuffered file, whose `write` may take less than it was given."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def append(source: Path, target: BinaryIO) -> None:
    """Appends a file to another inside the kernel: no byte passes through this process.

    Where the file system can, the blocks are shared instead of copied (`copy_file_range(2)`).
    """
    with source.open("rb", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size
        while left:
            done = _kernel_copy(file, target, min(left, _LARGEST_KERNEL_COPY))
            if done == 0:
                raise OSError(errno.EIO, "the file became shorter while it was copied", str(source))
            left -= done


def _kernel_copy(source: BinaryIO, target: BinaryIO, count: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source.fileno(), target.fileno(), count)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
                raise
    piece = source.read(min(count, PIECE))
    write_all(target, piece)
    return len(piece)
