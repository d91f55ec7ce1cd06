"""What of the engine is Dask itself: its classes, its settings, the cluster in this process.

A module of its own since importing Dask takes half a second, which `academy transcode` spends elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import dask
from distributed import Client, KilledWorker, Scheduler, Security, Worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from transcoding.engine import RESOURCE

__all__ = [
    "CommClosedError",
    "FutureCancelledError",
    "KilledWorker",
    "Security",
    "client",
    "cluster",
    "quiet",
]

CONNECT_SECONDS: Final = 15
WORKERS_MAY_DIE: Final = 20
"""Times, while a task is assigned to them, before Dask itself gives it up: killed machines are normal.
The pipeline counts only starts of the very chunk. External schedulers set this themselves
(`distributed.scheduler.allowed-failures`)."""


async def client(address: str, security: Security | None = None) -> Any:
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
async def cluster(slots: int) -> AsyncIterator[str]:
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


class quiet:  # noqa: N801 - reads as a statement
    """Dask's settings and log level while an engine is open: its news are not ours."""

    def __enter__(self) -> None:
        self._settings: Any = dask.config.set(CONFIGURATION)
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
        self._settings.__exit__(*_)
