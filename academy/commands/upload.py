"""`academy upload`: a lecture from a file, through the public HTTP API, resumable."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from academy.commands.data_directory import local_settings
from academy.commands.delivering import NotTranscoded, Order, deliver
from academy.commands.display import display_on
from academy.errors import Invalid, SettingsError
from academy.keys import KeyRing
from academy.people import Role
from academy.settings import Settings

OWN_TOKEN_SECONDS: Final = 7 * 86400


def upload(
    file: Path,
    *,
    course: str,
    title: str,
    lecture: str | None,
    language: str,
    api: str | None,
    token: str | None,
    publish: bool,
    wait: bool,
    data_dir: Path | None,
) -> None:
    """Prints the lecture's id as the last line of stdout. `lecture`: one that is there, instead of a new one
    in `course`. Raises AcademyError.
    """
    _check_file(file)
    settings = local_settings(data_dir)
    order = Order(file, course, title, language, publish=publish, wait=wait, lecture_id=lecture)
    base = api or settings.public_url
    bearer = token or own_token(settings)
    display = display_on(sys.stderr)
    try:
        with display:
            lecture_id = asyncio.run(deliver(order, base, bearer, state_folder(settings), display))
    except NotTranscoded as error:
        # The lecture is there all the same: whoever asks what became of it needs its id.
        print(error.lecture_id)
        raise
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again to go on from here.", file=sys.stderr)
        sys.exit(130)
    print(lecture_id)


def state_folder(settings: Settings) -> Path:
    """In the data directory where there is one, else where the XDG base directories say."""
    if settings.data_dir.is_dir():
        return settings.data_dir / "uploads"
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "academy" / "uploads"


def _check_file(file: Path) -> None:
    if not file.exists():
        raise Invalid(f"There is no file {file}: check the path.")
    if not file.is_file():
        raise Invalid(f"{file} is not a file: name one recording.")
    if not os.access(file, os.R_OK):
        raise Invalid(f"{file} cannot be read: check its permissions.")
    if file.stat().st_size == 0:
        raise Invalid(f"{file} is empty: there is nothing to upload.")


def own_token(settings: Settings) -> str:
    from academy.tokens import issue

    if settings.secret_key is None:
        raise SettingsError(
            f"There is no key in {settings.data_dir}: give a token with --token, "
            "or name the data directory of a running `academy up` with --data-dir."
        )
    keys = KeyRing(settings.secret_key, settings.secret_key_previous)
    roles = [Role.ADMIN, Role.INSTRUCTOR]
    return issue(keys, roles, Role.INSTRUCTOR.value, OWN_TOKEN_SECONDS)
