"""What of the engine is Dask itself: its classes, its settings, the cluster in this process.

A module of its own since importing Dask takes half a second, which `academy transcode` spends elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import dask
import yaml
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
CONFIGURATION: Final = Path(__file__).with_name("dask.yaml")
"""Also what schedulers and workers of a cluster of their own are to read (`DASK_CONFIG`)."""


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


class quiet:  # noqa: N801 - reads as a statement
    """Dask's settings and log level while an engine is open: its news are not ours."""

    def __enter__(self) -> None:
        ours = yaml.safe_load(CONFIGURATION.read_text("utf-8"))
        merged = dask.config.merge(dask.config.config, ours)
        self._settings: Any = dask.config.set(distributed=merged["distributed"])
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
        self._settings.__exit__(*_)
