"""Everything on one machine: mongod, API with portal, transcoder, as processes that end with this one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

from academy.commands.children import Child
from academy.commands.data_directory import DataDirectory, Running
from academy.commands.remote import LOOPBACK
from academy.errors import SettingsError, Unavailable
from academy.settings import Settings

READY_WITHIN: Final = 90.0
"""Seconds for the API to find everything it depends on."""
LOG_LIMIT: Final = 20 * 1024**2
"""Bytes; a longer log is set aside at the next start."""


def up(*, demo: bool, host: str, port: int, data_dir: Path | None) -> None:
    """Until SIGINT, SIGTERM or SIGHUP; then stops every child in order."""
    settings = Settings.load(data_dir=data_dir)
    directory = DataDirectory(settings.data_dir)
    with directory.locked():
        asyncio.run(_until_signalled(Installation(settings, directory, host, port, demo=demo)))


def say(line: str) -> None:
    print(line, flush=True)


class Installation:
    """What one `academy up` runs."""

    def __init__(
        self, settings: Settings, directory: DataDirectory, host: str, port: int, *, demo: bool
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._host = host
        self._port = _free_port(host, port)
        self._demo = demo
        self._local_url = f"http://{_reachable(host)}:{self._port}"
        self._public_url = (
            settings.public_url if "public_url" in settings.model_fields_set else self._local_url
        )

    async def run(self) -> None:
        say(f"Academy keeps its data in {self._directory.path}")
        async with AsyncExitStack() as stack:
            mongodb_url = await stack.enter_async_context(self._mongodb())
            running = Running(
                url=self._local_url,
                pid=os.getpid(),
                mongodb_url=mongodb_url,
                storage_url=self._settings.storage_url
                or f"file://{self._directory.path / 'storage'}",
            )
            self._directory.announce(running)
            stack.callback(self._directory.withdraw)
            await self._migrate(mongodb_url)
            environment = self._environment(running)
            # Entered in this order, so left in the opposite one: API, transcoder, mongod.
            transcoder = await stack.enter_async_context(
                self._child("transcoder", ["transcoder"], environment)
            )
            address = ["--host", self._host, "--port", str(self._port)]
            api = await stack.enter_async_context(
                self._child("api", ["api", *address], environment)
            )
            say("Starting the API and the transcoder …")
            await _first_of(asyncio.create_task(self._ready()), api, transcoder)
            say(f"The portal is at {self._public_url}/   (API reference: {self._public_url}/docs)")
            self._warn_of_address()
            if self._demo:
                await stack.enter_async_context(self._demo_lecture(running))
            say(f"Logs are in {self._directory.path / 'logs'}. Ctrl-C stops everything.")
            try:
                await _first_of(api, transcoder)
            finally:
                say("Stopping the API, the transcoder and the database …")

    async def _migrate(self, mongodb_url: str) -> None:
        """On one machine nobody else uses the database: what a new release needs is done at once."""
        from academy.mongo.migrations.run import migrate, pending
        from academy.mongo.stores import MongoStores

        stores = await MongoStores.open(mongodb_url, self._settings.mongodb_database)
        try:
            if await pending(stores.database):
                await migrate(stores.database, say)
        finally:
            await stores.close()

    def _warn_of_address(self) -> None:
        if self._public_url == self._local_url and self._host not in LOOPBACK:
            say(
                "Media links name this address: for visitors from other machines set "
                "ACADEMY_PUBLIC_URL to the one they use."
            )

    @asynccontextmanager
    async def _mongodb(self) -> AsyncIterator[str]:
        if self._settings.mongodb_url is not None:
            say("MongoDB: the server named by ACADEMY_MONGODB_URL")
            yield self._settings.mongodb_url
            return
        from academy.embedded import EmbeddedMongo

        say("Starting MongoDB …")
        mongod = EmbeddedMongo(self._directory.path)
        starting = asyncio.ensure_future(asyncio.to_thread(mongod.start))
        try:
            # Shielded: a thread cannot be cancelled, and what it started must be stopped.
            yield await asyncio.shield(starting)
        finally:
            with suppress(asyncio.CancelledError):
                await asyncio.wait({starting})
            await asyncio.to_thread(mongod.stop)

    @asynccontextmanager
    async def _child(
        self, name: str, arguments: list[str], environment: dict[str, str]
    ) -> AsyncIterator[asyncio.Task[None]]:
        command = [sys.executable, "-m", "academy.cli", *arguments, "--with-parent"]
        child = Child(name, command, environment=environment, log=self._log(name), report=say)
        task = asyncio.create_task(child.keep_running(), name=name)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _log(self, name: str) -> Path:
        logs = self._directory.path / "logs"
        logs.mkdir(exist_ok=True)
        log = logs / f"{name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".old.log"))
        return log

    def _environment(self, running: Running) -> dict[str, str]:
        own = {
            "ACADEMY_DATA_DIR": str(self._directory.path),
            "ACADEMY_MONGODB_URL": running.mongodb_url,
            "ACADEMY_STORAGE_URL": running.storage_url,
            "ACADEMY_SECRET_KEY": self._settings.secret_key or self._directory.secret_key(),
            "ACADEMY_PUBLIC_URL": self._public_url,
            "ACADEMY_BADGE_KEYS": str(self._settings.badge_keys or self._directory.badge_keys()),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **own}

    async def _ready(self) -> None:
        """Waits for `GET /health/ready` to answer 200."""
        loop = asyncio.get_running_loop()
        end = loop.time() + READY_WITHIN
        seen = "it does not answer"
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while loop.time() < end:
                with suppress(httpx.TransportError):
                    answer = await client.get(f"{self._local_url}/health/ready")
                    if answer.is_success:
                        return
                    seen = f"it answers {answer.status_code}: {answer.text[:500]}"
                await asyncio.sleep(0.2)
        raise Unavailable(
            f"The API was not ready within {READY_WITHIN:g} s ({seen}). "
            f"Its log is {self._directory.path / 'logs' / 'api.log'}."
        )

    @asynccontextmanager
    async def _demo_lecture(self, running: Running) -> AsyncIterator[None]:
        """Loads the catalogue now, and the sample lecture in the background."""
        from academy.commands.demo import load_catalogue, send_sample_lecture

        settings = Settings.load(
            data_dir=self._directory.path,
            mongodb_url=running.mongodb_url,
            storage_url=running.storage_url,
            secret_key=self._settings.secret_key or self._directory.secret_key(),
            public_url=self._public_url,
        )
        await load_catalogue(settings, say)
        task = asyncio.create_task(
            send_sample_lecture(settings, self._local_url, say), name="sample lecture"
        )
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def _until_signalled(installation: Installation) -> None:
    task = asyncio.create_task(installation.run())
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:  # a second one must not cut the orderly end short
            signalled = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not signalled:
            raise
        say("Stopped. Everything is kept; `academy up` goes on from here.")


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    """Returns when the first ends, or raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def _free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. SettingsError when it cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(
                f"Port {port} on {host} cannot be used ({reason}): stop the program that has it, "
                "or choose another with --port."
            ) from error
        chosen: int = probe.getsockname()[1]
        return chosen


def _reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    if host in {"0.0.0.0", ""}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
