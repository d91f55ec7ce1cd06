"""Whether a lecture has an upload of this very file that another machine began: then it can go on from here."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any, Final

from academy.commands.remote import Remote

READ: Final = 1024**2


async def begun_elsewhere(
    remote: Remote, lecture_id: str, file: Path, size: int
) -> dict[str, Any] | None:
    """The upload, as the API tells it, with its `parts`; None where none has anything of this file yet.

    Stores name a part by the MD5 of its bytes. One that does not costs a new upload, nothing else.
    """
    under_way = await remote.get(f"/lectures/{lecture_id}/uploads")
    for each in under_way["items"]:
        if each["size"] != size:
            continue
        upload = await remote.get(f"/uploads/{each['id']}")
        if upload["parts"] and await asyncio.to_thread(_holds, file, upload):
            return dict(upload)
    return None


def _holds(file: Path, upload: dict[str, Any]) -> bool:
    """Reads as much of the file as has arrived."""
    with file.open("rb", buffering=0) as source:
        for part in upload["parts"]:
            source.seek(upload["part_size"] * (part["number"] - 1))
            digest, left = hashlib.md5(usedforsecurity=False), part["size"]
            while left and (data := source.read(min(READ, left))):
                digest.update(data)
                left -= len(data)
            if digest.hexdigest() != part["etag"]:
                return False
    return True
