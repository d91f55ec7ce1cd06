"""An application that can be held, counted and overtaken, and the response cache in front of it."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from api.etags import etag
from api.provenance import SCOPE_KEY
from api.response_cache import ResponseCache
from api.response_cache_keys import Address, Addresses

PARAMETERS = frozenset({"limit", "lang"})
BODY = b'{"title": "Cloud"}' * 100
COURSE = "/v1/courses/a"


class Origin:
    """An application of one route. `gate` holds its answers, `reading` tells that one has begun."""

    def __init__(self):
        self.fills = 0
        self.status = 200
        self.body = BODY
        self.marks = {"courses/a"}
        self.until = None
        self.asked = []
        self.headers = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.reading = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.fills += 1
        self.asked.append(scope)
        self.reading.set()
        status, body = self.status, self.body
        await self.gate.wait()
        if SCOPE_KEY in scope:
            scope[SCOPE_KEY].add(self.marks, self.until)
        headers = {"ETag": etag(1, body), "Vary": "Authorization", **self.headers}
        await Response(body, status, headers, "application/json")(scope, receive, send)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Counted(ResponseCache):
    """Knows how often it was called as an application, which a server need not do for what is kept."""

    called = 0

    async def __call__(self, scope, receive, send):
        self.called += 1
        await super().__call__(scope, receive, send)


def cache_of(origin, clock, **options):
    addresses = Addresses(
        (Address("/v1/courses", PARAMETERS), Address("/v1/courses/{slug}", PARAMETERS)),
        frozenset({"https://front.test"}),
    )
    made = Counted(origin, addresses, clock=clock, **options)
    made.opened()
    return made
