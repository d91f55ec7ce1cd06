"""Rate limits per client, told in `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers-10).

A client is the account of a valid token, or else an address (of IPv6 the /64, which one customer has
as a whole). Stands behind the response cache: what is answered from there costs next to nothing and
is not counted. Nor are media, storage links, health and the portal's files.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from fastapi import Request
from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.errors import Unauthenticated, Unavailable
from academy.settings import Settings
from api.problems import problem
from api.provenance import SCOPE_KEY
from api.rate_limit_stores import SharedWindows, WindowMemory
from api.security import MEDIA, STORAGE

BASE: Final = "/v1/"
PROGRESS: Final = "/v1/me/progress/"
PROGRESS_LIMIT: Final = "240/minute"
"""A heartbeat every 10 s, and seeking, on a few devices at once."""
UPLOADS: Final = "/v1/uploads/"
"""Signing an upload's parts writes nothing, and a fast network asks for a dozen in a second."""
CODE: Final = "too_many_requests"
READING: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    limit: RateLimitItem
    limiter: FixedWindowRateLimiter
    _key: Callable[[str], str]
    """Under which the limiter counts a client, remembered: to write it takes longer than to count."""

    @classmethod
    def of(cls, name: str, limit: RateLimitItem, storage: Storage) -> Policy:
        key = lru_cache(maxsize=4096)(partial(limit.key_for, name))
        return cls(name, limit, FixedWindowRateLimiter(storage), key)

    async def hit(self, client: str) -> bool:
        """As `FixedWindowRateLimiter.hit` counts."""
        counted = await self.limiter.storage.incr(self._key(client), self.limit.get_expiry())
        return counted <= self.limit.amount


@dataclass(frozen=True, slots=True)
class Verdict:
    policy: Policy
    within: bool
    remaining: int
    seconds: int
    """Until the window ends."""

    @property
    def headers(self) -> dict[str, str]:
        policy = self.policy
        return {
            "RateLimit-Policy": f'"{policy.name}";q={policy.limit.amount};w={policy.limit.get_expiry()}',
            "RateLimit": f'"{policy.name}";r={self.remaining};t={self.seconds}',
        }


class Limits:
    """Who may still ask, and how that is told. Opens nothing; the shared store is found with the first
    request.
    """

    def __init__(self, settings: Settings) -> None:
        self._shared = settings.rate_limit_store == "mongodb"
        self._reads = settings.rate_limit_reads
        self._writes = settings.rate_limit_writes
        self._policies: dict[str, Policy | None] | None = None

    async def within(self, scope: Scope) -> bool:
        """Counts a request without credentials whose answer does not tell how many are left."""
        policy = self._policy(scope)
        return policy is None or await policy.hit(_address(scope))

    async def verdict(self, scope: Scope, client: str | None = None) -> Verdict | None:
        """Counts a request; None where nothing is counted. `client`: who asks, where that is known."""
        policy = self._policy(scope)
        if policy is None:
            return None
        if client is None:
            client = await _client(scope)
        within = await policy.hit(client)
        stats = await policy.limiter.get_window_stats(policy.limit, policy.name, client)
        seconds = max(0, math.ceil(stats.reset_time - time.time()))
        return Verdict(policy, within, max(0, stats.remaining), seconds)

    def _policy(self, scope: Scope) -> Policy | None:
        path, method = scope["path"], scope["method"]
        if not path.startswith(BASE) or path.startswith((MEDIA, STORAGE)) or method == "OPTIONS":
            return None
        if self._policies is None:
            self._policies = self._made(scope)
        if method in READING or (path.startswith(UPLOADS) and path.endswith("/parts")):
            return self._policies["reads"]
        heartbeat = method == "PUT" and path.startswith(PROGRESS)
        return self._policies["heartbeats" if heartbeat else "writes"]

    def _made(self, scope: Scope) -> dict[str, Policy | None]:
        memory: Storage = WindowMemory()
        shared: Storage = memory
        if self._shared:
            shared = SharedWindows(scope["app"].state.services.backend.stores.rate_limits)
        # Heartbeats are written in bulk; a count in the database for each would undo that.
        heartbeats = PROGRESS_LIMIT if self._writes != "off" else "off"
        return {
            "reads": _policy("reads", self._reads, shared),
            "writes": _policy("writes", self._writes, shared),
            "heartbeats": _policy("heartbeats", heartbeats, memory),
        }


class RateLimits:
    """The middleware."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        verdict = await self._limits.verdict(scope) if scope["type"] == "http" else None
        if verdict is None:
            await self.app(scope, receive, send)
        elif not verdict.within:
            policy, limit = verdict.policy, verdict.policy.limit
            detail = f"More than {limit.amount} {policy.name} in {limit.get_expiry()} seconds: wait and repeat."
            headers = verdict.headers | {"Retry-After": str(max(1, verdict.seconds))}
            await problem(scope, 429, CODE, detail, headers=headers)(scope, receive, send)
        elif SCOPE_KEY in scope:
            # An answer that is kept for everybody says nothing about one client.
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, _telling(verdict.headers, send))


def _policy(name: str, limit: str, storage: Storage) -> Policy | None:
    if limit == "off":
        return None
    return Policy.of(name, parse(limit), storage)


async def _client(scope: Scope) -> str:
    if any(name == b"authorization" for name, _ in scope["headers"]):
        try:
            identity = await scope["app"].state.services.authentication.identity(Request(scope))
        except (Unauthenticated, Unavailable):
            identity = None  # the route says what is wrong with the token
        if identity is not None:
            return f"account {identity.subject}"
    return _address(scope)


def _address(scope: Scope) -> str:
    return _network((scope.get("client") or ("",))[0])


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    return f"address {_customer(address)}"


def _customer(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a socket without addresses
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def _telling(headers: dict[str, str], send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return sending
