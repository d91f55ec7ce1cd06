from __future__ import annotations

import sys
from pathlib import Path

from academy.commands.data_directory import local_settings
from academy.commands.display import display_on
from academy.mongo.export import restore as run


def restore(directory: Path, *, replace: bool, data_dir: Path | None) -> None:
    """Checks the backup, then brings it back. Services must be stopped: they would write in between."""
    settings = local_settings(data_dir)
    url = settings.require_mongodb_url()
    with display_on(sys.stderr) as display:
        run(
            url, settings.mongodb_database, directory,
            lambda name, count: display.say(f"  {name}: {count}"), replace=replace,
        )  # fmt: skip
    print("Restored. Run `academy migrate`, start the services, then look with `academy doctor`.")
