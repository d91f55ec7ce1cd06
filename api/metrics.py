"""Requests counted and timed for Prometheus, by route template so that labels stay few."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.tally_metrics import tell_storage_errors
from api.provenance import SCOPE_KEY
from api.queue_metrics import QueueMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """A registry per application: nothing global, so tests and processes do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "academy_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "academy_http_request_seconds",
            "Time to the first byte of the answer",
            ("method", "route"),
            registry=self.registry,
        )
        self.running = Gauge(
            "academy_http_requests_running",
            "Requests being answered, event streams included",
            registry=self.registry,
        )

        self.kept = Gauge(
            "academy_response_cache_bytes",
            "Bytes of public answers kept ready to send",
            registry=self.registry,
        )
        self.kept_answers = Gauge(
            "academy_response_cache_answers", "Public answers kept", registry=self.registry
        )
        self.hits = Counter(
            "academy_response_cache_hits_total",
            "Answers given out of the cache, 304 included",
            registry=self.registry,
        )
        self.fills = Counter(
            "academy_response_cache_fills_total",
            "Answers that the cache had the application make",
            registry=self.registry,
        )
        self.evicted = Counter(
            "academy_response_cache_evictions_total",
            "Answers forgotten: changed, or for want of room",
            registry=self.registry,
        )
        tell_storage_errors(self.registry)
        self.queue = QueueMetrics(self.registry)
        self.gathering: list[Callable[[], None]] = []
        """Called before the metrics are told: for what is counted where a metric would cost too much."""

    def text(self) -> bytes:
        for gather in self.gathering:
            gather()
        return generate_latest(self.registry)


class Measured:
    """Must stand where the router writes the route into the same scope."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = template_of(scope)
                if SCOPE_KEY not in scope:  # the response cache counts what it answers itself
                    self._metrics.requests.labels(method, route, str(message["status"])).inc()
                self._metrics.seconds.labels(method, route).observe(time.perf_counter() - begun)
            await send(message)

        with self._metrics.running.track_inprogress():
            await self.app(scope, receive, sending)


def template_of(scope: Scope) -> str:
    """Of the route that answered: never what a visitor put into the address."""
    if "route" in scope:
        return str(getattr(scope["route"], "path", UNKNOWN))
    # Mounted files: the router puts the mount's path here.
    return f"{scope['root_path']}/*" if scope.get("root_path") else UNKNOWN
