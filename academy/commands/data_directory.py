"""The data directory of a one-machine installation: its key, its lock, and where its services are."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from academy.badge_keys import renew
from academy.errors import SettingsError
from academy.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """Where the services of a running `academy up` are; `mongodb_url` carries its password."""

    url: str
    pid: int
    mongodb_url: str
    storage_url: str


class DataDirectory:
    """Made on first use, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be the data directory ({error.strerror}): "
                "name another with --data-dir or ACADEMY_DATA_DIR."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held by one `academy up` at a time; the kernel frees it however that process ends."""
        with (self.path / "up.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise SettingsError(
                    f"Another `academy up` already runs on {self.path}: stop it first, "
                    "or name another directory with --data-dir."
                ) from error
            yield

    def secret_key(self) -> str:
        """The key kept here; made on first use."""
        file = self.path / "secret-key"
        if not file.exists():
            _write_private(file, secrets.token_hex(32) + "\n")
        return file.read_text().strip()

    def badge_keys(self) -> Path:
        """The file of the keys that sign badges; made on first use. Part of every backup."""
        file = self.path / "badge-keys.json"
        if not file.exists():
            renew(file)
        return file

    def announce(self, running: Running) -> None:
        _write_private(self.path / "up.json", json.dumps(asdict(running), indent=2) + "\n")

    def withdraw(self) -> None:
        (self.path / "up.json").unlink(missing_ok=True)

    def running(self) -> Running | None:
        """What a living `academy up` announced."""
        try:
            running = Running(**json.loads((self.path / "up.json").read_text()))
            os.kill(running.pid, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError, TypeError):
            return None
        return running


def local_settings(data_dir: Path | None) -> Settings:
    """Settings from the environment, completed by what the data directory knows.

    A second shell needs no variables: key and addresses come from the running `academy up`.
    """
    settings = Settings.load(data_dir=data_dir)
    if not settings.data_dir.is_dir():
        return settings
    directory = DataDirectory(settings.data_dir)
    known: dict[str, object] = {"data_dir": directory.path}
    if settings.secret_key is None and (directory.path / "secret-key").exists():
        known["secret_key"] = directory.secret_key()
    if (running := directory.running()) is not None:
        found = {
            "mongodb_url": running.mongodb_url,
            "storage_url": running.storage_url,
            "public_url": running.url,
        }
        known |= {k: v for k, v in found.items() if k not in settings.model_fields_set}
    return Settings.load(**known)


def _write_private(file: Path, text: str) -> None:
    """Whole or not at all, readable by the owner only."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    draft.replace(file)
