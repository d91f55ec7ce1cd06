"""Making a key that signs badges."""

from __future__ import annotations

from pathlib import Path

from academy.badge_keys import renew
from academy.commands.data_directory import DataDirectory, local_settings


def badge_key(file: Path | None, *, data_dir: Path | None) -> None:
    settings = local_settings(data_dir)
    ring = file or settings.badge_keys or DataDirectory(settings.data_dir).path / "badge-keys.json"
    kid = renew(ring)
    print(f"New badges are signed by {kid}. Restart the API, and keep {ring} in every backup.")
