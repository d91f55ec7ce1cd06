from __future__ import annotations

import asyncio
from pathlib import Path

from academy.commands.data_directory import local_settings
from academy.mongo.stores import MongoStores
from academy.settings import Settings


def reindex(*, data_dir: Path | None) -> None:
    """Builds the search index anew while the present one serves. Conflict while another build runs."""
    asyncio.run(_reindex(local_settings(data_dir)))


async def _reindex(settings: Settings) -> None:
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        build = stores.search.new_build()
        built = await build.run()
        print(
            f"Generation {built.generation} serves now: {built.sources} courses and lectures looked at."
        )
        await build.tidy()
    finally:
        await stores.close()
