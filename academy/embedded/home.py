"""The directory of an embedded mongod: `data/ mongod.log keyfile password port binary lock`."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from academy.errors import Conflict, SettingsError

LOCK_SECONDS: Final = 2.0
"""How long a directory may look taken before that is believed: a killed parent's mongod needs a
moment to notice."""
STOPPING_SECONDS: Final = 60.0
"""How long one that says it is stopping is waited for."""


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "mongod.log"

    @property
    def key_file(self) -> Path:
        return self.path / "keyfile"

    @property
    def password_file(self) -> Path:
        return self.path / "password"

    def prepare(self) -> None:
        """SettingsError when nothing can be kept here."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.data.mkdir(mode=0o700, exist_ok=True)
            _write_secret(self.key_file, secrets.token_hex(256))  # mongod reads at most 1024
            _write_secret(self.password_file, secrets.token_urlsafe(32))
        except OSError as error:
            raise SettingsError(
                f"MongoDB's data cannot be kept in {self.path} ({error.strerror}): "
                "set ACADEMY_DATA_DIR to a directory that can be written."
            ) from error

    def password(self) -> str:
        return self.password_file.read_text().strip()

    def port(self) -> int | None:
        """Of the last start. Kept where possible: the replica set then needs no reconfiguration."""
        try:
            return int((self.path / "port").read_text())
        except (OSError, ValueError):
            return None

    def keep_port(self, port: int) -> None:
        (self.path / "port").write_text(f"{port}\n")

    def binary(self) -> Path | None:
        """The mongod that served these data before: a newer one may refuse them (MongoDB upgrades
        one major version at a time). To upgrade, follow MongoDB's manual, then delete the file.
        """
        try:
            binary = Path((self.path / "binary").read_text().strip())
        except OSError:
            return None
        return binary if os.access(binary, os.X_OK) else None

    def keep_binary(self, binary: Path) -> None:
        (self.path / "binary").write_text(f"{binary}\n")

    def new_log(self) -> None:
        """The log of the start before is kept, older ones are not."""
        if self.log.exists():
            self.log.replace(self.path / "mongod.log.1")

    def last_words(self) -> str:
        try:
            with self.log.open(errors="replace") as log:
                return "".join(deque(log, maxlen=12)).strip()
        except OSError:
            return "(mongod wrote no log)"

    def lock(self) -> int:
        """The descriptor that holds the lock. Conflict when another process has it."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        begun = time.monotonic()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                word, _, pid = os.pread(lock, 64, 0).decode(errors="replace").strip().partition(" ")
                patience = STOPPING_SECONDS if word == "stopping" else LOCK_SECONDS
                if time.monotonic() - begun > patience:
                    os.close(lock)
                    raise Conflict(
                        f"Another Academy process runs MongoDB in {self.path} (mongod's process id "
                        f"is {pid or 'not known'}): stop it first, or set ACADEMY_DATA_DIR to "
                        "another directory."
                    ) from None
                time.sleep(0.05)
            else:
                return lock


def _write_secret(path: Path, value: str) -> None:
    """Whole or not at all; readable by its owner only; an existing one stays."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
