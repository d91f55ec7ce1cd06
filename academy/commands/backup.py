from __future__ import annotations

import json
import sys
from pathlib import Path

from academy.badge_keys import BadgeKeys
from academy.commands.database import database_at_hand
from academy.commands.display import display_on
from academy.mongo.export import export

SECRETS = """The backup holds no secrets and no media. Keep besides, each in its own safe place:
  - the secret key (ACADEMY_SECRET_KEY, or secret-key in the data directory)
  - the ring of badge keys with its private part (ACADEMY_BADGE_KEYS, or badge-keys.json);
    its public part is in the backup
  - what the bucket holds under recordings/ and media/"""


def backup(directory: Path, *, data_dir: Path | None) -> None:
    """Exports the database and the public badge keys; says what else must be kept."""
    with database_at_hand(data_dir) as settings, display_on(sys.stderr) as display:
        manifest = export(
            settings.require_mongodb_url(), settings.mongodb_database, directory,
            lambda name, count: display.say(f"  {name}: {count}"),
        )  # fmt: skip
    ring = settings.badge_keys or settings.data_dir / "badge-keys.json"
    if ring.is_file():
        public = {"keys": BadgeKeys.read(ring).public()}
        (directory / "badge-keys.public.json").write_text(json.dumps(public, indent=2) + "\n")
    total = sum(each["documents"] for each in manifest["collections"].values())
    print(SECRETS)
    print(f"{total} documents of {len(manifest['collections'])} collections are in {directory}.")
