"""What lies in the folder of a disk storage."""

from __future__ import annotations

from pathlib import Path

from academy.storage.disk import DiskStorage

KEY = "media/x/v720/0-1.m4s"


def body_of(storage: DiskStorage, key: str = KEY) -> bytes:
    return b"".join(storage.read(key))


def leftovers(root: Path) -> list[Path]:
    """Half-written files, wherever they are."""
    return list(root.rglob(".in-*"))
