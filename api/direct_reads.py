"""Public reads for the response cache, without what FastAPI and the layers do around a route.

The cache knows already which route a request means, that it has no credentials, and which parameters
count. To look for the route among a hundred, to solve its dependencies again and to pass ten layers costs
more than the rest of a read together, the database's driver aside. So the route's own function is called
with its own parameters' validators, and what the layers would do for such a read is done here: a limit
counted, an id and a line in the log, a time for Prometheus, the headers of security and CORS. Whatever is
not plain goes the usual way: a parameter that is not valid, a route that asks for more than parameters
and a reader, a client over its limit, an error nobody expected.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from prometheus_client import Histogram
from starlette.types import Scope

from academy.correlation import accepted, request_id
from academy.errors import AcademyError
from api.answered import Answer, Headers
from api.context import Context, Services, anyone, reader
from api.languages import Languages
from api.layers import Layers
from api.metrics import Metrics
from api.problems import answer_to
from api.rate_limits import Limits
from api.request_log import HEADER, tell

log = logging.getLogger(__name__)

Field = Any
"""FastAPI's own of a parameter."""
_INVALID: Final = object()
_REQUEST_ID: Final = HEADER.lower().encode()


class DirectReads:
    """What the application would answer to the cache, its headers included."""

    def __init__(self, app: FastAPI, limits: Limits, metrics: Metrics) -> None:
        """`app`: its lifespan fills in the services."""
        self._app = app
        self._limits = limits
        self._seconds = metrics.seconds
        self._running = metrics.running
        self._known: dict[str, DirectRead | None] = {}
        """By template."""
        self._layers = Layers(app.state.settings)

    async def __call__(self, scope: Scope, route: APIRoute) -> Answer | None:
        """None for what has to go the usual way: then nothing was answered, and it is counted again."""
        read = self._known.get(route.path)
        if read is None and route.path not in self._known:
            read = self._known[route.path] = DirectRead.of(route, self._seconds)
        scope["app"] = self._app
        request = Request(scope)
        arguments = None if read is None else read.arguments(request)
        if read is None or arguments is None or not await self._limits.within(scope):
            return None
        scope["route"], scope["endpoint"] = route, route.endpoint
        given = dict(scope["headers"]).get(_REQUEST_ID)
        name = accepted(None if given is None else given.decode("latin-1"))
        begun = time.perf_counter()
        request_id.set(name)  # for good: servers run each request in a context of its own
        self._running.inc()
        try:
            answer: Response = await read.call(**arguments)
        except AcademyError as error:
            answer = await answer_to(request, error)
        except Exception:
            log.exception("%s failed and is asked again the usual way", route.path)
            return None
        finally:
            self._running.dec()
        seconds = time.perf_counter() - begun
        read.seconds.observe(seconds)
        tell(scope, answer.status_code, seconds)
        headers = await self._with_layers(answer.raw_headers, scope)
        headers.append((_REQUEST_ID, name.encode()))
        return Answer(answer.status_code, headers, bytes(answer.body))

    async def _with_layers(self, own: Headers, scope: Scope) -> Headers:
        """A header that the route has set stays as it is; `Vary` is added to."""
        origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
        # The cache has no origins in its keys but those that are let in.
        around = await self._layers.headers(origin)
        headers, set_already = list(own), {name for name, _ in own}
        for name, value in around:
            if name not in set_already:
                headers.append((name, value))
            elif name == b"vary":
                at = next(at for at, each in enumerate(headers) if each[0] == b"vary")
                headers[at] = (b"vary", headers[at][1] + b", " + value)
        return headers


@dataclass(frozen=True, slots=True)
class DirectRead:
    """A route that wants nothing but parameters and who reads."""

    call: Callable[..., Awaitable[Response]]
    pattern: re.Pattern[str]
    path: Sequence[Field]
    query: Sequence[Field]
    context: str
    """Name of the argument."""
    lang: Field | None
    """None where nothing is localised."""
    seconds: Histogram

    @classmethod
    def of(cls, route: APIRoute, seconds: Histogram) -> DirectRead | None:
        """None for a route that asks for more."""
        own = route.dependant
        if len(own.dependencies) != 1 or own.call is None or own.request_param_name is not None:
            return None
        asking = own.dependencies[0]
        alone = not (own.header_params or own.cookie_params or own.body_params)
        if not alone or asking.dependencies or asking.call not in {anyone, reader}:
            return None
        return cls(
            own.call,
            route.path_regex,
            own.path_params,
            own.query_params,
            asking.name or "",
            _lang(asking),
            seconds.labels("GET", route.path),
        )

    def arguments(self, request: Request) -> dict[str, Any] | None:
        """None when one of them is not valid."""
        scope = request.scope
        found = self.pattern.match(scope["path"])
        if found is None:
            return None
        scope["path_params"] = found.groupdict()
        query = scope["query_string"]
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
        made = {
            **_validated(self.path, scope["path_params"], "path"),
            **_validated(self.query, given, "query"),
        }
        lang = None if self.lang is None else _valid(self.lang, given, "query")
        if lang is _INVALID or _INVALID in made.values():
            return None
        languages = Languages()
        if self.lang is not None:
            wished = dict(scope["headers"]).get(b"accept-language", b"")
            languages = Languages.asked(lang, wished.decode("latin-1"))
        services: Services = scope["app"].state.services
        made[self.context] = Context(services, request, None, languages)
        return made


def _lang(asking: Dependant) -> Field | None:
    return next((each for each in asking.query_params if each.alias == "lang"), None)


def _validated(fields: Sequence[Field], given: Mapping[str, str], where: str) -> dict[str, Any]:
    return {each.name: _valid(each, given, where) for each in fields}


def _valid(parameter: Field, given: Mapping[str, str], where: str) -> Any:
    """As `fastapi.dependencies.utils` does it."""
    value = given.get(parameter.alias)
    if value is None:
        return _INVALID if parameter.field_info.is_required() else copy(parameter.default)
    valid, errors = parameter.validate(value, {}, loc=(where, parameter.alias))
    return _INVALID if errors else valid
