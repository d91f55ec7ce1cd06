"""What an interrupted `academy upload` needs to go on: a small file per API, course and recording."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Resumption:
    """`idempotency_key` is kept before the lecture is asked for, so that it is never made twice."""

    idempotency_key: str = field(default_factory=lambda: secrets.token_hex(16))
    lecture_id: str | None = None
    upload_id: str | None = None
    part_size: int = 0
    part_count: int = 0
    recording_id: str | None = None


class ResumptionFile:
    """Named by what identifies the upload: API, course, title and the file's path, size and time."""

    def __init__(self, folder: Path, *, api: str, course: str, title: str, file: Path) -> None:
        stat = file.stat()
        identity = [api, course, title, str(file.resolve()), stat.st_size, stat.st_mtime_ns]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        self.path = folder / f"{digest}.json"

    def load(self) -> Resumption | None:
        try:
            return Resumption(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None  # never begun, or unreadable: begin

    def save(self, state: Resumption) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(asdict(state), indent=2) + "\n")
        draft.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
