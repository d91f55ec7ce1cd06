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
from collections.abc import Awaitable, Callable, Sequence
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
from api.direct_parameters import INVALID, Parameter
from api.languages import Languages
from api.layers import Layers
from api.metrics import Metrics
from api.problems import answer_to
from api.rate_limits import Limits
from api.request_log import HEADER, tell

log = logging.getLogger(__name__)

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
        sent = dict(scope["headers"])
        given = sent.get(_REQUEST_ID)
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
        # The cache has no origins in its keys but those that are let in.
        around = await self._layers.headers(sent.get(b"origin", b""))
        headers = _within(around, answer.raw_headers)
        headers.append((_REQUEST_ID, name.encode()))
        return Answer(answer.status_code, headers, bytes(answer.body))


def _within(around: Headers, own: Headers) -> Headers:
    """A header that the route has set stays as it is; `Vary` is added to."""
    headers, set_already = list(own), {name for name, _ in own}
    for each in around:
        name = each[0]
        if name not in set_already:
            headers.append(each)
        elif name == b"vary":
            at = next(at for at, (known, _) in enumerate(headers) if known == name)
            headers[at] = (name, headers[at][1] + b", " + each[1])
    return headers


@dataclass(frozen=True, slots=True)
class DirectRead:
    """A route that wants nothing but parameters and who reads."""

    call: Callable[..., Awaitable[Response]]
    pattern: re.Pattern[str]
    path: Sequence[Parameter]
    query: Sequence[Parameter]
    context: str
    """Name of the argument."""
    lang: Parameter | None
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
            [Parameter.of(each, "path") for each in own.path_params],
            [Parameter.of(each, "query") for each in own.query_params],
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
        path = scope["path_params"] = found.groupdict()
        query = scope["query_string"]
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
        made = {each.name: each.read(path) for each in self.path}
        for each in self.query:
            made[each.name] = each.read(given)
        languages = Languages()
        if self.lang is not None:
            lang = self.lang.read(given)
            if lang is INVALID:
                return None
            wished = dict(scope["headers"]).get(b"accept-language", b"")
            languages = Languages.asked(lang, wished.decode("latin-1"))
        if INVALID in made.values():
            return None
        services: Services = scope["app"].state.services
        made[self.context] = Context(services, request, None, languages)
        return made


def _lang(asking: Dependant) -> Parameter | None:
    field = next((each for each in asking.query_params if each.alias == "lang"), None)
    return None if field is None else Parameter.of(field, "query")
