"""Public reads for the response cache, without what FastAPI does around a route.

The cache knows already which route a request means, that it has no credentials, and which parameters
count. To look for the route among a hundred and to solve its dependencies again costs more than the
rest of a read together, the database's driver aside. So the innermost middleware calls the route's own
function with its own parameters' validators. Whatever is not plain goes the usual way: a parameter
that is not valid, a route that asks for more than parameters and a reader.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from academy.errors import AcademyError
from api.context import Context, Services, anyone, reader
from api.languages import Languages
from api.problems import answer_to
from api.provenance import ROUTE_KEY

Field = Any
"""FastAPI's own of a parameter."""
_INVALID: Final = object()


class DirectReads:
    """The innermost middleware: everything around it does its part as ever."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._known: dict[str, DirectRead | None] = {}
        """By template."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: APIRoute | None = scope.get(ROUTE_KEY)
        if route is None:
            await self.app(scope, receive, send)
            return
        read = self._known.get(route.path)
        if read is None and route.path not in self._known:
            read = self._known[route.path] = DirectRead.of(route)
        request = Request(scope, receive)
        arguments = None if read is None else read.arguments(request)
        if read is None or arguments is None:
            await self.app(scope, receive, send)
            return
        scope["route"], scope["endpoint"] = route, route.endpoint
        answer: Response
        try:
            answer = await read.call(**arguments)
        except AcademyError as error:
            answer = await answer_to(request, error)
        await answer(scope, receive, send)


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

    @classmethod
    def of(cls, route: APIRoute) -> DirectRead | None:
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
            languages = Languages.asked(lang, request.headers.get("accept-language"))
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
