"""Dask as the engine: a cluster in this process, or a scheduler by address. Same code path.

Dask executes; it decides nothing. Retries, order and the count of workers killed are the pipeline's. The
in-process cluster has no port; an external one needs TLS, since Dask's wire is pickles, that is, code.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import dask
from distributed import Client, KilledWorker, Scheduler, Security, Worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from pydantic import ValidationError

from academy.errors import SettingsError, Unavailable
from academy.settings import Settings
from transcoding.announcements import TOPIC, Event

RESOURCE: Final = "encoder"
"""One per core: a task takes one, so that a machine runs one single-threaded ffmpeg per core."""
CONNECT_SECONDS: Final = 15
WORKERS_MAY_DIE: Final = 20
"""Times, while a task is assigned to them, before Dask itself gives it up: killed machines are normal.
The pipeline counts only starts of the very chunk. External schedulers set this themselves
(`distributed.scheduler.allowed-failures`)."""

Listener = Callable[[Event], None]
Work = Callable[[dict[str, Any]], dict[str, Any]]


class EngineLost(Unavailable):
    """The Dask scheduler does not answer, or lost this task."""

    code = "engine_lost"


class WorkersDied(Unavailable):
    """Workers died again and again while this task was with them."""

    code = "workers_died"


class Engine:
    """Runs tasks and passes on what they announce. Made by `open_engine`."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], *, local: bool) -> None:
        self._connect = connect
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self.local = local
        """Tasks run in this very process."""

    async def run(
        self, work: Work, task: dict[str, Any], *, key: tuple[str, int, int, int], priority: int
    ) -> dict[str, Any]:
        """The task's result. `key`: media, chunk, attempt, execution; never used twice for other work.

        Higher priorities first. Cancelling the coroutine cancels the task, which then ends itself.
        Raises EngineLost, WorkersDied, and what the task raised.
        """
        client = await self._connected()
        try:
            future = client.submit(
                work, task, key=key, resources={RESOURCE: 1}, priority=priority, pure=False
            )
        except (CommClosedError, OSError, RuntimeError) as error:
            raise EngineLost from error
        try:
            result: dict[str, Any] = await future
        except asyncio.CancelledError:
            # Dask's own cancellation is a CancelledError, too: ours has been asked for.
            if not _being_cancelled():
                await self._forget(client)
                raise EngineLost from None
            with suppress(Exception):
                await asyncio.shield(client.cancel([future], force=True))
            raise
        except FutureCancelledError as error:
            await self._forget(client)
            raise EngineLost from error
        except KilledWorker as error:
            raise WorkersDied from error
        except (CommClosedError, TimeoutError) as error:
            await self._forget(client)
            raise EngineLost from error
        finally:
            with suppress(Exception):
                future.release()
        return result

    async def slots(self) -> int:
        """How many tasks can run at once now; 0 while there is no worker."""
        client = await self._connected()
        try:
            known = await client.scheduler.identity(n_workers=-1)
        except (CommClosedError, OSError, TimeoutError) as error:
            await self._forget(client)
            raise EngineLost from error
        workers = known["workers"].values()
        return sum(int(worker["resources"].get(RESOURCE, 0)) for worker in workers)

    def listen(self, media_id: str, listener: Listener) -> Callable[[], None]:
        """Calls `listener` for each event of a media; returns what ends that."""
        self._listeners[media_id].add(listener)

        def stop() -> None:
            self._listeners[media_id].discard(listener)
            if not self._listeners[media_id]:
                del self._listeners[media_id]

        return stop

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                await client.close(timeout=5)

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None or self._client.status != "running":
                await self.close()
                try:
                    self._client = await self._connect()
                except (OSError, TimeoutError) as error:
                    raise EngineLost(f"The Dask scheduler does not answer: {error}") from error
                self._client.subscribe_topic(TOPIC, self._heard)
            return self._client

    async def _forget(self, client: Any) -> None:
        """After trouble: the next task connects anew."""
        if self._client is client and client.status != "running":
            await self.close()

    def _heard(self, event: tuple[float, Any]) -> None:
        try:
            told = Event.model_validate(event[1])
        except ValidationError:
            return
        for listener in list(self._listeners.get(told.media_id, ())):
            listener(told)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def open_engine(
    settings: Settings | None = None, *, workers: int | None = None
) -> AsyncIterator[Engine]:
    """The engine that the settings name; without a scheduler, a cluster in this process.

    `workers`: encoders of the in-process cluster, one per core by default. Raises SettingsError.
    """
    with _quiet():
        if settings is not None and settings.dask_scheduler is not None:
            engine = external(settings)
            try:
                yield engine
            finally:
                await engine.close()
            return
        async with _cluster(workers or cores()) as address:
            engine = Engine(lambda: _client(address), local=True)
            try:
                yield engine
            finally:
                await engine.close()


def external(settings: Settings) -> Engine:
    """An engine on the scheduler of the settings, not connected yet. Raises SettingsError."""
    address = settings.dask_scheduler or ""
    security = _security(settings)
    return Engine(lambda: _client(address, security), local=False)


def cores() -> int:
    """That this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


async def _client(address: str, security: Security | None = None) -> Any:
    return await Client(  # type: ignore[no-untyped-call]
        address,
        asynchronous=True,
        set_as_default=False,
        timeout=CONNECT_SECONDS,
        security=security,
        name="academy",
    )


class _Silent:
    """Dask's nodes serve statistics over HTTP on every interface, asked or not. Ours does not."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Leaves `http_server` unset, which Dask's own closing allows for."""


class _Scheduler(_Silent, Scheduler):
    pass


class _Worker(_Silent, Worker):
    pass


@asynccontextmanager
async def _cluster(slots: int) -> AsyncIterator[str]:
    """The address of a scheduler with one worker, both in this process and reachable only from it."""
    async with (
        _Scheduler(protocol="inproc", host="", dashboard_address=None) as scheduler,
        _Worker(
            scheduler.address,
            nthreads=slots,
            resources={RESOURCE: slots},
            # The memory that counts is ffmpeg's, which Dask does not see: pausing for ours would be wrong.
            memory_limit=0,
        ),
    ):
        yield scheduler.address


def _security(settings: Settings) -> Security | None:
    """Raises SettingsError for what would let anybody on the network run code here."""
    url = urlsplit(settings.dask_scheduler or "")
    if url.scheme == "tls":
        files = {
            "ACADEMY_DASK_TLS_CA": settings.dask_tls_ca,
            "ACADEMY_DASK_TLS_CERT": settings.dask_tls_cert,
            "ACADEMY_DASK_TLS_KEY": settings.dask_tls_key,
        }
        for name, path in files.items():
            if path is None:
                raise SettingsError(f"{name} is not set: a tls:// Dask scheduler needs it.")
            if not path.is_file():
                raise SettingsError(f"{name}: there is no file {path}.")
        return Security(  # type: ignore[no-untyped-call]
            require_encryption=True,
            tls_ca_file=str(settings.dask_tls_ca),
            tls_client_cert=str(settings.dask_tls_cert),
            tls_client_key=str(settings.dask_tls_key),
        )
    if not _loopback(url.hostname or "") and not settings.dask_allow_plaintext:
        raise SettingsError(
            f"ACADEMY_DASK_SCHEDULER: {settings.dask_scheduler} is plain text beyond this machine, and "
            "whoever reaches it can run code here. Use tls:// with ACADEMY_DASK_TLS_CA, _CERT and _KEY, "
            "or, on a network you trust wholly, set ACADEMY_DASK_ALLOW_PLAINTEXT=true."
        )
    return None


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


CONFIGURATION: Final[Mapping[str, Any]] = {
    "distributed.scheduler.allowed-failures": WORKERS_MAY_DIE,
    # The kernel and our own heartbeat look after the machine.
    "distributed.worker.profile.enabled": False,
    # Clocks that tick 100 times a second to draw dashboards we do not have: 0.3 % of a core each.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.scheduler.work-stealing-interval": "1s",
    "distributed.worker.memory.terminate": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
}


class _quiet:  # noqa: N801 - reads as a statement
    """Dask's settings and log level while an engine is open: its news are not ours."""

    def __enter__(self) -> None:
        self._settings: Any = dask.config.set(CONFIGURATION)
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
        self._settings.__exit__(*_)
