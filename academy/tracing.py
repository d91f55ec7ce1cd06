"""Spans of requests, jobs, chunks and storage calls, sent to an OpenTelemetry collector (OTLP over HTTP).

On where `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing of OpenTelemetry is imported here and a span
is the same empty context each time. The exporter's other standard variables (`OTEL_EXPORTER_OTLP_HEADERS`,
`OTEL_TRACES_SAMPLER` …) are read by its own library. Parents travel as W3C `traceparent`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final, Literal, Protocol

from academy import __version__
from academy.correlation import job_id, request_id
from academy.errors import SettingsError
from academy.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

log = logging.getLogger(__name__)

Attributes = Mapping[str, str | int | float | bool | None]
"""Those that are None are left out."""
Kind = Literal["internal", "server", "client", "consumer"]


class Spanned(Protocol):
    """A span that is under way; or nothing, where traces are off."""

    def tell(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, code: str) -> None:
        """For what is no exception here, or no longer."""


class _Untraced(AbstractContextManager["Spanned"]):
    def __enter__(self) -> Spanned:
        return self

    def __exit__(self, *_: object) -> None: ...

    def tell(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, code: str) -> None: ...


UNTRACED: Final = _Untraced()


class Tracer:
    """This process's spans and the thread that sends them. Loses some rather than wait."""

    def __init__(self, endpoint: str, service: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise SettingsError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send traces are not "
                'installed: `pip install "academy[traces]"`, or unset it.'
            ) from error
        named = {"service.name": service, "service.version": __version__}
        # Not the global one: libraries that look for that (FastAPI) would write addresses into spans,
        # and addresses carry path tokens.
        self._provider: TracerProvider = TracerProvider(
            resource=Resource.create(named), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("academy", __version__)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, *, parent: str | None = None, kind: Kind
    ) -> Iterator[Spanned]:
        from opentelemetry.trace import SpanKind, use_span

        span = self._tracer.start_span(
            name, context=_context(parent), kind=SpanKind[kind.upper()], attributes=_ids()
        )
        told = _Told(span)
        told.tell(attributes)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                yield told
        except BaseException as error:
            if not isinstance(error, (asyncio.CancelledError, GeneratorExit)):
                told.failed(getattr(error, "code", type(error).__name__))
            raise
        finally:
            span.end()

    def started(self, name: str, attributes: Attributes) -> Callable[[], None]:
        from opentelemetry.trace import SpanKind

        begun = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=_ids())
        _Told(begun).tell(attributes)
        return begun.end

    def close(self) -> None:
        """Sends what is left, for some seconds at most."""
        self._provider.shutdown()


class _Told:
    def __init__(self, span: Span) -> None:
        from opentelemetry.trace import StatusCode

        self._span = span
        self._error = StatusCode.ERROR

    def tell(self, attributes: Attributes) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def failed(self, code: str) -> None:
        # No sentence: it may name addresses, and those carry signatures.
        self._span.set_attribute("error.type", code)
        self._span.set_status(self._error)


_tracer: Tracer | None = None
_asked = False
_opening = threading.Lock()


@contextmanager
def traced(settings: Settings, service: str) -> Iterator[None]:
    """While within, this process's spans are sent, if the settings say so. Raises SettingsError."""
    global _tracer  # noqa: PLW0603 - one per process, as the log's handlers are
    if settings.otlp_endpoint is None:
        yield
        return
    mine = _tracer = Tracer(settings.otlp_endpoint, service)
    try:
        yield
    finally:
        _tracer = None
        mine.close()


def join(parent: str | None) -> None:
    """Called by tasks: a worker that serves no service begins to trace with the first task that is."""
    global _tracer, _asked  # noqa: PLW0603 - as above
    if parent is None or _tracer is not None:
        return
    with _opening:
        if _asked:
            return
        _asked = True
        try:
            endpoint = Settings.load().otlp_endpoint
            if endpoint is None:
                return
            _tracer = Tracer(endpoint, "academy-worker")
        except SettingsError as error:
            log.warning("%s This worker's spans are missing.", error.message)
            return
        import atexit

        atexit.register(_tracer.close)


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    kind: Kind = "internal",
) -> AbstractContextManager[Spanned]:
    """`parent`: a `traceparent`; without it, the span within which this one begins, if any."""
    if _tracer is None:
        return UNTRACED
    return _tracer.span(name, attributes or {}, parent=parent, kind=kind)


def detail(name: str, attributes: Attributes | None = None) -> AbstractContextManager[Spanned]:
    """A call to another service, within another span only: on its own it would tell nothing."""
    if ids() is None:
        return UNTRACED
    return span(name, attributes, kind="client")


def started(name: str, attributes: Attributes) -> Callable[[], None]:
    """As `detail`, but not current: what is called within does not become its child. Returns its end."""
    if _tracer is None or ids() is None:
        return lambda: None
    return _tracer.started(name, attributes)


def traceparent() -> str | None:
    """Of the current span, to be handed on (W3C Trace Context, section 3.2)."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def ids() -> tuple[str, str] | None:
    """Trace and span in which this code runs, as hexadecimal digits."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    current = get_current_span().get_span_context()
    return (f"{current.trace_id:032x}", f"{current.span_id:016x}") if current.is_valid else None


def on() -> bool:
    return _tracer is not None


def _context(parent: str | None) -> Context | None:
    if parent is None:
        return None
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent}, context=Context())


def _ids() -> dict[str, str]:
    known = {"academy.request_id": request_id.get(), "academy.job_id": job_id.get()}
    return {name: value for name, value in known.items() if value is not None}
