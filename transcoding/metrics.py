"""What a transcoder process tells Prometheus, on a port of its own (`ACADEMY_METRICS_PORT`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from academy.errors import SettingsError
from academy.jobs import Failure
from academy.settings import Settings
from academy.tally_metrics import tell_storage_errors


class Metrics:
    """A registry per transcoder: nothing global."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.succeeded = Counter(
            "academy_jobs_succeeded_total", "Jobs brought to their end here", registry=registry
        )
        self.failures = Counter(
            "academy_job_failures_total",
            "Attempts that failed here, also those that are repeated",
            ("code", "kind"),
            registry=registry,
        )
        self.leases_lost = Counter(
            "academy_leases_lost_total",
            "Jobs that were cancelled, requeued or taken over while worked on here",
            registry=registry,
        )
        self.leases = Gauge("academy_leases", "Jobs in work here", registry=registry)
        self.encoders = Gauge(
            "academy_encoders", "Chunks the engine can encode at once", registry=registry
        )
        self.speed = Histogram(
            "academy_transcode_speed",
            "Of whole jobs, from claim to end: times real time",
            buckets=(0.25, 0.5, 1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.media_seconds = Counter(
            "academy_transcoded_media_seconds_total",
            "Seconds of recordings transcoded",
            registry=registry,
        )
        tell_storage_errors(registry)

    def ended(self, duration: float, spent: float) -> None:
        """A job succeeded: its recording lasts `duration`, the work took `spent` seconds."""
        self.succeeded.inc()
        self.media_seconds.inc(duration)
        if spent > 0:
            self.speed.observe(duration / spent)

    def failed(self, failure: Failure) -> None:
        self.failures.labels(failure.code, failure.kind.value).inc()


@contextmanager
def served(metrics: Metrics, settings: Settings) -> Iterator[None]:
    """Answers `GET /metrics` in a thread. SettingsError when the port cannot be listened on."""
    if settings.metrics_port is None:
        yield
        return
    try:
        server, thread = start_http_server(
            settings.metrics_port, settings.metrics_host, metrics.registry
        )
    except OSError as error:
        raise SettingsError(
            f"ACADEMY_METRICS_PORT: {settings.metrics_host}:{settings.metrics_port} cannot be "
            f"listened on ({error.strerror or error}): choose another or unset it."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
