"""Services of a new installation start at the same time, on an empty database."""

from __future__ import annotations

import asyncio
import secrets

from academy.mongo.stores import MongoStores


async def test_stores_that_open_together_on_an_empty_database_all_open(mongo_url: str) -> None:
    name = f"academy_test_{secrets.token_hex(6)}"
    opened = await asyncio.gather(*(MongoStores.open(mongo_url, name) for _ in range(4)))
    await opened[0].client.drop_database(name)
    for stores in opened:
        await stores.close()
