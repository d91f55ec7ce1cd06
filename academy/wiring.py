"""The one place that builds concrete stores from Settings.

`open_backend` serves the API and the dispatcher. `Workbench` serves encoding tasks: on a remote Dask
worker it takes everything from that worker's own environment, so credentials never travel in tasks;
inside the dispatcher's process it finds the settings the dispatcher itself runs with.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

from academy.ids import new_id
from academy.keys import KeyRing
from academy.mongo.journal import MongoJournal
from academy.mongo.migrations.run import require_current
from academy.mongo.stores import MongoStores
from academy.object_stores import Storage
from academy.recording_stores import Journal
from academy.settings import Settings
from academy.storage import open_storage


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything a service needs, built once per process."""

    settings: Settings
    stores: MongoStores
    storage: Storage
    keys: KeyRing


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """Opens stores and storage and closes them at the end. Raises SettingsError or Unavailable."""
    keys = KeyRing(settings.require_secret_key(), settings.secret_key_previous)
    storage = open_storage(settings, keys)
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        await require_current(stores.database)
        yield Backend(settings=settings, stores=stores, storage=storage, keys=keys)
    finally:
        await stores.close()


class WorkspaceReference(TypedDict):
    """What travels in a task instead of credentials: plain data."""

    kind: str
    dispatcher: str
    job_id: str
    token: str
    media_id: str
    request_id: NotRequired[str]
    traceparent: NotRequired[str]


@dataclass(slots=True)
class Workbench:
    """Storage of one process's settings, opened once and shared by its tasks."""

    settings: Settings
    _storage: Storage | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def storage(self) -> Storage:
        with self._lock:
            if self._storage is None:
                self._storage = open_storage(self.settings, None)
            return self._storage

    def journal(self, reference: WorkspaceReference) -> Journal:
        return MongoJournal(
            self.settings.require_mongodb_url(),
            self.settings.mongodb_database,
            media_id=reference["media_id"],
            job_id=reference["job_id"],
            token=reference["token"],
        )


_benches: dict[str, Workbench] = {}
_benches_lock = threading.Lock()
_OWN = "own environment"


@contextmanager
def workbench(settings: Settings) -> Iterator[str]:
    """Makes `settings` known to tasks that run in this very process; yields the id they name."""
    dispatcher = new_id()
    with _benches_lock:
        _benches[dispatcher] = Workbench(settings)
    try:
        yield dispatcher
    finally:
        with _benches_lock:
            del _benches[dispatcher]


def worker_workspace(reference: WorkspaceReference) -> tuple[Storage, Journal]:
    """Called by tasks. Raises SettingsError when a remote worker's environment is incomplete."""
    with _benches_lock:
        bench = _benches.get(reference["dispatcher"]) or _benches.get(_OWN)
        if bench is None:
            bench = _benches[_OWN] = Workbench(Settings.load())
    return bench.storage(), bench.journal(reference)
