"""A folder instead of database and bucket: what `academy transcode` writes to.

While work is going on, `.academy/` below it holds the plan, the receipts (one JSON object per line)
and who works on it; the same command later goes on where it stopped. Removed at the end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from academy.errors import Conflict, Invalid, LeaseLost, ObjectNotFound
from academy.ids import new_id
from academy.jobs import Progress
from academy.media import MediaPlan, Publication, Receipt
from academy.recordings import Inspection
from academy.storage.disk import DiskStorage
from transcoding.ledger import Frozen

OWN: Final = ".academy"
SOURCE_KEY: Final = "source"


class DirectoryStore(DiskStorage):
    """Disk storage of one folder, which also shows one file from outside it under the key `source`."""

    def __init__(self, root: Path, source: Path) -> None:
        super().__init__(root)
        self._source = source

    @classmethod
    def of(cls, reference: Mapping[str, Any]) -> DirectoryStore:
        return cls(Path(str(reference["root"])), Path(str(reference["source"])))

    def path(self, key: str) -> Path:
        if key != SOURCE_KEY:
            return super().path(key)
        if not self._source.is_file():
            raise ObjectNotFound(f"There is no file {self._source}.")
        return self._source

    def tidy(self) -> None:
        """Removes what only the storage itself needs."""
        shutil.rmtree(self.root / ".store", ignore_errors=True)
        for folder in list(self.root.rglob(".meta")):
            shutil.rmtree(folder, ignore_errors=True)


class DirectoryJournal:
    """Receipts as lines of a file; the lease is a file that names its holder (`academy.recording_stores.Journal`)."""

    def __init__(self, root: Path, token: str) -> None:
        self._folder = root / OWN
        self._token = token

    def record(self, receipts: Sequence[Receipt]) -> None:
        with self._locked():
            if not self.held():
                raise LeaseLost
            known = {(receipt.track, receipt.number) for receipt in self._read()}
            fresh = [r for r in receipts if (r.track, r.number) not in known]
            lines = "".join(receipt.model_dump_json() + "\n" for receipt in fresh)
            with (self._folder / "receipts").open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())

    def receipts(self) -> Sequence[Receipt]:
        with self._locked():
            return list(self._read())

    def held(self) -> bool:
        try:
            return (self._folder / "holder").read_text("utf-8") == self._token
        except FileNotFoundError:
            return False

    def _read(self) -> Iterator[Receipt]:
        path = self._folder / "receipts"
        if path.exists():
            # A crash may have left half a line at the end; nothing was released on its account.
            whole = path.read_text("utf-8").rpartition("\n")[0]
            yield from map(Receipt.model_validate_json, whole.splitlines())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            file = (self._folder / "lock").open("a")
        except FileNotFoundError as error:
            raise LeaseLost from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class DirectoryLedger:
    """The pipeline's ledger of one folder (`transcoding.ledger.Ledger`). Small files, local disk."""

    def __init__(self, root: Path, source: Path, profile: str, on_progress: Any = None) -> None:
        self.root = root
        self._folder = root / OWN
        self._source = source
        self._on_progress = on_progress
        self._token = new_id()
        self.inspection: Inspection | None = None
        self._identity = _identity(source, profile)
        self.attempt = self._begin()

    @property
    def reference(self) -> dict[str, str]:
        """What tasks get to find this folder."""
        return {
            "kind": "directory",
            "root": str(self.root),
            "source": str(self._source),
            "token": self._token,
        }

    def _begin(self) -> int:
        """Takes the folder over; which attempt this is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        about = self._folder / "about"
        known: dict[str, Any] = json.loads(about.read_text()) if about.exists() else {}
        if known and known["identity"] != self._identity:
            raise Invalid(
                f"{self.root} holds unfinished work on another file or profile: "
                "name another folder or delete it.",
                code="directory_in_use",
            )
        attempt = int(known.get("attempt", 0)) + 1
        _write(about, json.dumps({"identity": self._identity, "attempt": attempt}))
        _write(self._folder / "holder", self._token)
        return attempt

    async def inspected(self, inspection: Inspection) -> None:
        self.inspection = inspection

    async def frozen(self) -> Frozen | None:
        path = self._folder / "plan"
        if not path.exists():
            return None
        plan = MediaPlan.model_validate_json(path.read_text("utf-8"))
        return Frozen(media_id=self._token, plan=plan)

    async def freeze(self, plan: MediaPlan) -> Frozen:
        if (before := await self.frozen()) is not None:
            return before
        _write(self._folder / "plan", plan.model_dump_json())
        return Frozen(media_id=self._token, plan=plan)

    async def receipts(self, media_id: str) -> Sequence[Receipt]:
        del media_id  # a folder holds one media
        return DirectoryJournal(self.root, self._token).receipts()

    async def publication(self, media_id: str) -> Publication | None:
        del media_id
        path = self._folder / "publication"
        return Publication.model_validate_json(path.read_text("utf-8")) if path.exists() else None

    async def publish(self, publication: Publication) -> None:
        current = await self.publication("")
        if publication.revision != (current.revision if current else 0) + 1:
            raise Conflict("The folder holds another revision.")
        _write(self._folder / "publication", publication.model_dump_json())

    async def progress(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)

    def let_go(self) -> None:
        """Tasks that still run find that nobody holds the folder."""
        (self._folder / "holder").unlink(missing_ok=True)

    def finish(self, keep: Iterable[str]) -> None:
        """Removes the record, and segments that no receipt names."""
        kept = set(keep)
        for path in list(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.suffix in {".m4s", ".mp4"} and name not in kept and path.is_file():
                path.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)


def _identity(source: Path, profile: str) -> str:
    status = source.stat()
    return f"{source} {status.st_size} {status.st_mtime_ns} {profile}"


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
