"""For operators: is it alive, are its dependencies, what does it do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final, Literal

from fastapi import Request, Response
from pydantic import BaseModel

from academy.errors import AcademyError, Unavailable
from academy.wiring import Backend
from api.context import services
from api.metrics import CONTENT_TYPE, Metrics
from api.problems import problem
from api.routing import problems, router

log = logging.getLogger(__name__)

routes: Final = router("operations", prefix="")
PATIENCE: Final = 5.0
"""Seconds for each dependency to answer."""


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Dependency(BaseModel):
    status: Literal["ok", "unavailable"]
    detail: str | None = None


class Ready(BaseModel):
    status: Literal["ok", "unavailable"]
    dependencies: dict[str, Dependency]


@routes.get("/health/live", response_model=Alive)
async def health_live() -> Alive:
    """The process answers. Says nothing of what it depends on."""
    return Alive()


@routes.get("/health/ready", response_model=Ready, responses=problems(503))
async def health_ready(request: Request) -> Response:
    """Each dependency by name; 503 while one does not answer (`dependencies` says which)."""
    ready = await _ready(services(request).backend)
    if ready.status == "ok":
        return Response(ready.model_dump_json(), media_type="application/json", headers=_FRESH)
    missing = [name for name, found in ready.dependencies.items() if found.status != "ok"]
    detail = f"Does not answer: {', '.join(missing)}."
    dependencies = ready.model_dump()["dependencies"]
    return problem(request.scope, 503, Unavailable.code, detail, dependencies=dependencies)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE: {}}}})
async def get_metrics(request: Request) -> Response:
    """Prometheus text format."""
    metrics: Metrics = request.app.state.metrics
    await metrics.queue.gather(services(request).backend.stores.operating)
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE} | _FRESH)


_FRESH: Final = {"Cache-Control": "no-store"}


async def _ready(backend: Backend) -> Ready:
    def look() -> None:
        next(iter(backend.storage.list("health/")), None)

    mongodb, storage = await asyncio.gather(
        _asked("mongodb", backend.stores.ping()), _asked("storage", asyncio.to_thread(look))
    )
    well = mongodb.status == storage.status == "ok"
    return Ready(
        status="ok" if well else "unavailable",
        dependencies={"mongodb": mongodb, "storage": storage},
    )


async def _asked(name: str, answer: Awaitable[None]) -> Dependency:
    """The log gets the reason; the outside learns only that there is no answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            await answer
    except (AcademyError, OSError, TimeoutError) as error:
        log.warning("%s is not ready: %r", name, error)
        return Dependency(status="unavailable", detail="does not answer")
    return Dependency(status="ok")
