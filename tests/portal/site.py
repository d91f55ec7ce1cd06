"""The real application with its portal, served from a thread of its own, and ways to fill it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from academy import tokens
from academy.keys import KeyRing
from academy.mongo.stores import MongoStores
from academy.object_stores import Storage
from academy.people import Role
from academy.settings import Settings
from academy.storage import open_storage
from api.app import create_app
from api.server import Server

START_LIMIT = 60
SECRET = "a secret of thirty-two characters, only for tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """The API on a port of its own, in a thread with a loop of its own."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._server = Server(create_app(settings), "127.0.0.1", port)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="portal-service")

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._server.run_app())
        except BaseException as error:
            self._failure = error

    async def start(self) -> None:
        self._thread.start()
        async with asyncio.timeout(START_LIMIT):
            while not self._server.started:
                if self._failure is not None:
                    raise self._failure
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)
        if self._failure is not None:
            raise self._failure


@dataclass(frozen=True)
class Site:
    """`stores` live on the tests' loop; the service has its own over the same database."""

    url: str
    stores: MongoStores
    storage: Storage
    settings: Settings

    def token(self, subject: str = "teacher", role: Role = Role.INSTRUCTOR) -> str:
        return tokens.issue(KeyRing(SECRET), role, subject, timedelta(hours=1))


@contextlib.asynccontextmanager
async def running_site(
    folder: Path, mongodb_url: str, database: str, stores: MongoStores, **more: str
) -> AsyncIterator[Site]:
    port = free_port()
    settings = Settings(
        mongodb_url=mongodb_url,
        mongodb_database=database,
        data_dir=folder,
        secret_key=SECRET,
        public_url=f"http://127.0.0.1:{port}",
        **{"storage_url": (folder / "objects").as_uri(), **more},  # type: ignore[arg-type]
    )
    storage = open_storage(settings, KeyRing(SECRET))
    service = Service(settings, port)
    await service.start()
    try:
        yield Site(settings.public_url, stores, storage, settings)
    finally:
        await service.stop()
