from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from academy.commands.data_directory import local_settings
from academy.keys import KeyRing
from academy.people import Role


def token(
    *, roles: Sequence[Role], subject: str | None, expires: int, data_dir: Path | None
) -> None:
    """Prints a token. SettingsError when neither the environment nor the data directory has a key."""
    from academy.tokens import issue

    settings = local_settings(data_dir)
    keys = KeyRing(settings.require_secret_key(), settings.secret_key_previous)
    print(issue(keys, roles, subject or roles[0].value, expires))
