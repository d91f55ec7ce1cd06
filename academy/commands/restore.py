from __future__ import annotations

import sys
from pathlib import Path

from academy.commands.database import database_at_hand
from academy.commands.display import display_on
from academy.mongo.export import restore as run


def restore(directory: Path, *, replace: bool, data_dir: Path | None) -> None:
    """Checks the backup, then brings it back. Services must be stopped: they would write in between.

    On one machine the data directory's database is started for it.
    """
    with (
        database_at_hand(data_dir, stopped=True) as settings,
        display_on(sys.stderr) as display,
    ):
        run(
            settings.require_mongodb_url(), settings.mongodb_database, directory,
            lambda name, count: display.say(f"  {name}: {count}"), replace=replace,
        )  # fmt: skip
    print("Restored. Run `academy migrate`, start the services, then look with `academy doctor`.")
