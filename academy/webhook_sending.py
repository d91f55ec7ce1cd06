"""One attempt to deliver: a signed POST, at most `PATIENCE` long, redirects not followed."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import httpcore

from academy import __version__
from academy.keys import KeyRing
from academy.webhook_targets import CheckedBackend, ForbiddenTarget, Targets
from academy.webhooks import Delivery, Endpoint, Outcome, message_of, signed_headers

PATIENCE: Final = 15.0
"""Seconds for a receiver to answer: it should answer first and work afterwards."""
AT_ONCE: Final = 16
_TIMEOUTS: Final = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)


class Sender:
    """`trust` replaces the usual certificate authorities."""

    def __init__(
        self, keys: KeyRing, targets: Targets, *, trust: ssl.SSLContext | None = None
    ) -> None:
        self._keys = keys
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=trust or httpcore.default_ssl_context(),
                max_connections=AT_ONCE,
                # An answer is not read to its end, so there is nothing to keep.
                max_keepalive_connections=0,
                network_backend=CheckedBackend(targets, secure=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def send(self, delivery: Delivery, endpoint: Endpoint, *, at: datetime) -> Outcome:
        """Never raises for what a receiver or the network does: the outcome says it."""
        body = message_of(delivery.event)
        headers = {
            "content-type": "application/json",
            "user-agent": f"Academy/{__version__} (webhooks)",
            "content-length": str(len(body)),
            **signed_headers(self._keys, endpoint, delivery.event, body, at=at),
        }
        url = httpcore.URL(endpoint.url)
        headers["host"] = _host(url)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._pools[url.scheme.decode()].stream(
                    "POST",
                    url,
                    headers=list(headers.items()),
                    content=body,
                    extensions={"timeout": _TIMEOUTS},
                ) as response,
            ):
                return _judged(response)
        except ForbiddenTarget as error:
            return Outcome(error=error.message)
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(error=f"It did not answer within {PATIENCE:g} seconds.")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return Outcome(error=f"It could not be reached: {error}"[:500])


def _host(url: httpcore.URL) -> str:
    usual = {b"https": 443, b"http": 80}[url.scheme]
    host = url.host.decode()
    named = f"[{host}]" if ":" in host else host
    return named if url.port in {None, usual} else f"{named}:{url.port}"


def _judged(response: httpcore.Response) -> Outcome:
    """2xx is success; everything else, a redirect too, is not."""
    status = response.status
    if 200 <= status < 300:
        return Outcome(status=status)
    if status == 410:
        return Outcome(status=status, error="It answered 410: it is gone.", gone=True)
    if 300 <= status < 400:
        sentence = f"It answered {status}: redirects are not followed, change the address."
        return Outcome(status=status, error=sentence)
    return Outcome(
        status=status, error=f"It answered {status}.", wait=_retry_after(response.headers)
    )


def _retry_after(headers: list[tuple[bytes, bytes]]) -> timedelta | None:
    """In seconds (RFC 9110 §10.2.3); a date is left out of account."""
    value = {name.lower(): value for name, value in headers}.get(b"retry-after", b"")
    return timedelta(seconds=int(value)) if value.isdigit() and len(value) < 7 else None
