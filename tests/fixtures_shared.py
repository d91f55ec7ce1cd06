"""What costs much is made once per test run: xdist's workers, which are processes, share it."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder for every worker of this run."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def alone(name: Path) -> Iterator[None]:
    """One process at a time; whoever comes second waits for the first."""
    with name.with_name(f"{name.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kept(path: Path) -> object | None:
    """What another worker left with `keep`."""
    return pickle.loads(path.read_bytes()) if path.exists() else None  # noqa: S301 - our own file


def keep(path: Path, value: object) -> None:
    path.write_bytes(pickle.dumps(value))
