"""The database of an installation, also of one machine's whose services are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from academy.commands.data_directory import DataDirectory, local_settings
from academy.errors import SettingsError
from academy.settings import Settings


@contextmanager
def database_at_hand(data_dir: Path | None, *, stopped: bool = False) -> Iterator[Settings]:
    """Settings that name a database that answers. Where they name none and no `academy up` runs, the data
    directory's own is started, and stopped at the end. `stopped`: SettingsError where an `academy up` runs.
    """
    given = Settings.load(data_dir=data_dir)
    if given.mongodb_url is not None:
        yield local_settings(data_dir)
        return
    directory = DataDirectory(given.data_dir)
    if directory.running() is not None:
        if stopped:
            raise SettingsError(
                f"`academy up` runs on {directory.path}: stop it first. "
                "The database is started for this command alone."
            )
        yield local_settings(data_dir)
        return
    from academy.embedded import EmbeddedMongo

    with directory.locked(), EmbeddedMongo(directory.path) as mongod:
        yield local_settings(data_dir).model_copy(update={"mongodb_url": mongod.url})
