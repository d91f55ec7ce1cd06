from __future__ import annotations

import asyncio
from pathlib import Path

from academy.commands.data_directory import local_settings
from academy.mongo.migrations.run import migrate as run_migrations
from academy.mongo.stores import MongoStores
from academy.settings import Settings


def migrate(*, data_dir: Path | None) -> None:
    """Brings the documents of an older release up to this one. Repeatable; Conflict while it runs."""
    asyncio.run(migrate_with(local_settings(data_dir)))


async def migrate_with(settings: Settings) -> None:
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        count = await run_migrations(stores.database, lambda line: print(line, flush=True))
    finally:
        await stores.close()
    print(f"Migrations run: {count}. The database is up to date.", flush=True)
