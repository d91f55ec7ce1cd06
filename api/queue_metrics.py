"""The queue and the transcoders for Prometheus, read from the database when it asks.

Every API process tells the same: dashboards take the maximum.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from academy.errors import Unavailable
from academy.operating import OperatorStore

log = logging.getLogger(__name__)

PATIENCE: Final = 3.0
"""Seconds: the other metrics do not wait longer for the database."""


class QueueMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._known = Gauge(
            "academy_queue_known",
            "1 when the queue's figures could be read; 0: they are missing here",
            registry=registry,
        )
        self._jobs = Gauge("academy_queue_jobs", "Jobs by state", ("state",), registry=registry)
        self._ready = Gauge(
            "academy_queue_ready", "Jobs that could be claimed now", registry=registry
        )
        self._oldest = Gauge(
            "academy_queue_oldest_seconds",
            "How long the longest waiting of them has waited; 0 when none waits",
            registry=registry,
        )
        self._stale = Gauge(
            "academy_queue_stale", "Running jobs whose lease expired", registry=registry
        )
        self._failed = Gauge(
            "academy_queue_failed", "Jobs failed for good, by code", ("code",), registry=registry
        )
        self._transcoders = Gauge(
            "academy_transcoders", "Transcoder processes", ("status",), registry=registry
        )

    async def gather(self, store: OperatorStore) -> None:
        """Never raises: what cannot be read is said to be unknown."""
        try:
            async with asyncio.timeout(PATIENCE):
                queue, transcoders = await asyncio.gather(store.queue(), store.transcoders())
        except (Unavailable, TimeoutError) as error:
            log.warning("The queue's figures cannot be read: %r", error)
            self._known.set(0)
            for each in (self._jobs, self._failed, self._transcoders):
                each.clear()
            return
        self._known.set(1)
        for state, count in queue.states.items():
            self._jobs.labels(state.value).set(count)
        self._ready.set(queue.ready)
        self._oldest.set(queue.oldest or 0.0)
        self._stale.set(queue.stale)
        self._failed.clear()
        for code, count in queue.failures.items():
            self._failed.labels(code).set(count)
        away = sum(each.away for each in transcoders)
        self._transcoders.labels("present").set(len(transcoders) - away)
        self._transcoders.labels("away").set(away)
