"""The application: what it is made of, and what it opens and closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from academy import __version__
from academy.captioning import settle_due
from academy.completion import reconcile
from academy.errors import AcademyError
from academy.settings import Settings
from academy.webhook_delivery import delivering
from academy.webhook_sending import Sender
from academy.webhook_targets import Targets
from academy.wiring import Backend, open_backend
from api import (
    admin,
    captions,
    catalogue,
    certificates,
    heartbeats,
    invitations,
    operations,
    opportunities,
    pages,
    partners,
    playback,
    problems,
    recordings,
    search,
    statistics,
    storage_admin,
    studio,
    uppy,
    webhooks,
)
from api import learners as learning
from api import uploads as uploading
from api.context import Services, erasing_of
from api.direct_heartbeats import DirectHeartbeats
from api.direct_reads import DirectReads
from api.metrics import Measured, Metrics
from api.openapi import document
from api.rate_limits import Limits, RateLimits
from api.request_log import RequestLog
from api.request_traces import RequestTraces
from api.response_cache import ResponseCache
from api.response_cache_keys import Addresses
from api.response_cache_metrics import Gathering
from api.security import STORAGE, CrossOrigin, HeadRequests, SecurityHeaders, page_policy
from api.storage_links import storage_router
from api.whole_answers import Whole

log = logging.getLogger(__name__)

BODY_LIMIT: Final = 1024**2
"""Bytes of a JSON body."""
RECONCILE_EVERY: Final = 60.0
"""Seconds."""
CAPTIONS_EVERY: Final = 5.0
"""Seconds. One look into an index that is nearly always empty."""
ENDING: Final = 5.0
"""Seconds that such a round is given to end when the server stops."""


KEPT: Final = frozenset(
    {
        "list_universities",
        "get_university",
        "list_programmes",
        "get_programme",
        "list_instructors",
        "get_instructor",
        "list_courses",
        "get_course",
        "get_course_poster",
        "get_lecture",
        "list_opportunities",
        "get_opportunity",
    }
)
"""Operations whose public answers are kept. Each says what its answer was made from."""
WRITING: Final = ("studio", "partners", "recordings", "captions", "opportunities", "storage")
"""Tags of the operations that write what the public reads."""


class Academy(FastAPI):
    """With the response cache in front of everything, middleware included."""

    answering: ResponseCache

    @property
    def ready(self) -> Callable[[Scope], Whole | None]:
        """For a server that asks before it begins anything (`api.whole_answers`)."""
        return self.answering.ready

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # type: ignore[override]
        # Not a coroutine function of its own: that would cost a kept answer a tenth more.
        return self.answering(scope, receive, send)


def create_app(settings: Settings, *, short_ways: bool = True) -> FastAPI:
    """Opens nothing: stores and storage are opened by the application's lifespan.

    `short_ways`: what is asked most goes around FastAPI and the layers; the answers are the same.
    `app.state.closing` may be set by a server that begins to stop; open streams then end.
    """
    app = Academy(
        title="Academy",
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # It would write whole addresses into spans (`api.request_traces` does not).
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.page_policy = page_policy(())
    app.state.closing = asyncio.Event()
    problems.install(app)
    limits = Limits(settings)
    # Last added is outermost: the measured scope must be the one that the router fills.
    app.add_middleware(Measured, metrics=app.state.metrics)
    app.add_middleware(problems.PatchTypes)
    app.add_middleware(problems.BodyLimit, most=BODY_LIMIT, exempt=STORAGE)
    app.add_middleware(RateLimits, limits=limits)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(HeadRequests)
    app.add_middleware(CrossOrigin, settings=settings)
    app.add_middleware(SecurityHeaders, settings=settings)
    if settings.otlp_endpoint is not None:
        app.add_middleware(RequestTraces)
    app.add_middleware(RequestLog)
    app.include_router(heartbeats.routes)  # first, since routes are tried in order
    learners = (learning, certificates, opportunities, statistics)
    parts = (
        catalogue,
        search,
        studio,
        partners,
        uploading,
        uppy,
        invitations,
        recordings,
        captions,
        playback,
        *learners,
        webhooks,
        storage_admin,
        admin,
        operations,
    )
    for part in parts:
        app.include_router(part.routes)
    routes = [route for part in parts for route in part.routes.routes]
    kept = [each for each in routes if isinstance(each, APIRoute) and each.name in KEPT]
    answering: ASGIApp = partial(FastAPI.__call__, app)
    direct = None
    # Traces are told by a layer: with them, everything takes the way through the layers.
    if short_ways and settings.otlp_endpoint is None:
        direct = DirectReads(app, limits, app.state.metrics)
        (heartbeat,) = (each for each in heartbeats.routes.routes if isinstance(each, APIRoute))
        answering = DirectHeartbeats(
            answering, app, heartbeat, settings=settings, limits=limits, metrics=app.state.metrics
        )
    cache = ResponseCache(
        answering, Addresses.of(kept, settings.cors_origins), writing=WRITING, direct=direct
    )
    app.state.response_cache = app.answering = cache
    app.state.metrics.gathering.append(Gathering(cache, app.state.metrics))
    app.include_router(storage_router())
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    pages.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_backend(app.state.settings) as backend:
        app.state.services = Services.of(backend, app.state.closing)
        app.state.page_policy = page_policy(await _media_origins(backend))
        backend.stores.search.follow()
        sender = Sender(backend.keys, Targets(backend.settings.webhook_networks))
        async with delivering(backend.stores.webhooks, sender, app.state.closing):
            rounds = {
                asyncio.create_task(_keep_reconciling(backend, app.state.closing)),
                asyncio.create_task(_keep_captions_settled(backend, app.state.closing)),
            }
            cache: ResponseCache = app.state.response_cache
            try:
                async with backend.stores.public_changes.told_to(cache):
                    yield
            finally:
                app.state.closing.set()
                await cache.close()
                await app.state.services.learners.close()
                await _ended(rounds)


async def _ended(rounds: set[asyncio.Task[None]]) -> None:
    """They end by being asked: the driver leaves a socket open when it is cancelled as it connects."""
    _, late = await asyncio.wait(rounds, timeout=ENDING)
    for task in late:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _pause(closing: asyncio.Event, seconds: float) -> None:
    """Ends early when the server stops."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await closing.wait()


async def _keep_reconciling(backend: Backend, closing: asyncio.Event) -> None:
    """Drives forward the uploads and takedowns that a crash interrupted."""
    while not closing.is_set():
        try:
            await reconcile(backend.stores.uploads, backend.storage)
            await erasing_of(backend).settle()
        except AcademyError as error:
            log.warning("uploads could not be reconciled: %s", error)
        except Exception:
            # Ended by a bug, this loop would leave uploads unfinished without a word.
            log.exception("reconciling uploads failed")
        await _pause(closing, RECONCILE_EVERY)


async def _keep_captions_settled(backend: Backend, closing: asyncio.Event) -> None:
    """Brings captions to media that were published after them, and ends what a crash interrupted."""
    while not closing.is_set():
        try:
            await settle_due(backend.stores, backend.storage)
        except AcademyError as error:
            log.warning("captions could not be brought to their media: %s", error)
        except Exception:
            log.exception("bringing captions to their media failed")
        await _pause(closing, CAPTIONS_EVERY)


async def _media_origins(backend: Backend) -> list[str]:
    """Where pages may load media from and send parts to. A signed address tells the storage's."""
    probe = await asyncio.to_thread(backend.storage.signed_url, "health/probe", expires_in=60)
    settings = backend.settings
    addresses = [probe, settings.public_url, settings.public_media_url or settings.public_url]
    return ["{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses]
