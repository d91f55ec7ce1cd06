"""The one place that builds concrete stores from Settings.

`open_backend` serves the API and the dispatcher; `worker_workspace` serves tasks on Dask workers,
which take everything from their own environment: credentials never travel in tasks.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

from academy.errors import Invalid
from academy.keys import KeyRing
from academy.media import media_prefix
from academy.mongo.client import worker_client
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from academy.settings import Settings
from academy.storage import open_storage
from academy.stores import Journal, Storage


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything a service needs, built once per process."""

    settings: Settings
    stores: MongoStores
    storage: Storage
    keys: KeyRing


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """Opens stores and storage; closes them at the end. Raises SettingsError or Unavailable."""
    keys = KeyRing(settings.require_secret_key(), settings.secret_key_previous)
    storage = open_storage(settings, keys)
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        yield Backend(settings=settings, stores=stores, storage=storage, keys=keys)
    finally:
        await stores.close()
