"""Dask as the engine: a cluster in this process, or a scheduler by address. Same code path.

Dask executes; it decides nothing. Retries, order and the count of workers killed are the pipeline's. The
in-process cluster has no port; an external one needs TLS, since Dask's wire is pickles, that is, code.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from academy.errors import SettingsError, Unavailable
from academy.settings import Settings
from academy.tallies import STORAGE_ERRORS
from transcoding.announcements import TOPIC, Event

RESOURCE: Final = "encoder"
"""One per core: a task takes one, so that a machine runs one single-threaded ffmpeg per core."""

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
        client, dask = await self._connected(), _dask()
        try:
            future = client.submit(
                work, task, key=key, resources={RESOURCE: 1}, priority=priority, pure=False
            )
        except (dask.CommClosedError, OSError, RuntimeError) as error:
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
        except dask.FutureCancelledError as error:
            await self._forget(client)
            raise EngineLost from error
        except dask.KilledWorker as error:
            raise WorkersDied from error
        except (dask.CommClosedError, TimeoutError) as error:
            await self._forget(client)
            raise EngineLost from error
        finally:
            with suppress(Exception):
                future.release()
        return result

    async def slots(self) -> int:
        """How many tasks can run at once now; 0 while there is no worker."""
        client, dask = await self._connected(), _dask()
        try:
            known = await client.scheduler.identity(n_workers=-1)
        except (dask.CommClosedError, OSError, TimeoutError) as error:
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
        listeners = list(self._listeners.get(told.media_id, ()))
        if listeners and not self.local:  # whoever waits for the task counts, and counts once
            for kind, count in told.storage_errors.items():
                STORAGE_ERRORS.add(kind, count)
        for listener in listeners:
            listener(told)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def open_engine(
    settings: Settings | None = None, *, workers: int | None = None, at_once: bool = True
) -> AsyncIterator[Engine]:
    """The engine that the settings name; without a scheduler, a cluster in this process.

    `workers`: encoders of the in-process cluster, one per core by default. `at_once`: false lets the
    cluster start when it is first asked, and Dask be imported beside other work. Raises SettingsError.
    """
    loading = asyncio.ensure_future(asyncio.to_thread(_dask))
    async with AsyncExitStack() as stack:
        if settings is not None and settings.dask_scheduler is not None:
            stack.enter_context((await loading).quiet())
            engine = external(settings)
        else:
            engine = Engine(_Inside(stack, loading, workers or cores()).client, local=True)
            if at_once:
                await engine.slots()
        try:
            yield engine
        finally:
            await engine.close()
            await asyncio.wait([loading])


@dataclass
class _Inside:
    """The cluster in this process, started when somebody wants to speak to it; the stack ends it."""

    stack: AsyncExitStack
    loading: asyncio.Future[Any]
    slots: int
    address: str = ""

    async def client(self) -> Any:
        dask = await asyncio.shield(self.loading)
        if not self.address:
            self.stack.enter_context(dask.quiet())
            self.address = await self.stack.enter_async_context(dask.cluster(self.slots))
        return await dask.client(self.address)


def external(settings: Settings) -> Engine:
    """An engine on the scheduler of the settings, not connected yet. Raises SettingsError."""
    address = settings.dask_scheduler or ""
    security = _security(settings)
    return Engine(lambda: _dask().client(address, security), local=False)


def _dask() -> Any:
    from transcoding import cluster

    return cluster


def cores() -> int:
    """That this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _security(settings: Settings) -> Any:
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
        return _dask().Security(
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
