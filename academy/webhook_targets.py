"""Where webhooks may be sent: public addresses, and the private networks that the operator names.

A name may resolve to something else each time it is asked for (DNS rebinding), so names are resolved
once per connection, every address is judged, and the connection goes to the judged address itself.
Redirects are never followed. TLS still verifies the name.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from academy.errors import FieldError, Forbidden, Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
RESOLVE_SECONDS: Final = 3.0
LONGEST_LABEL: Final = 63
"""Characters between the dots of a name (RFC 1035 §2.3.4)."""
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenTarget(Forbidden):
    """This address is not on the public internet: webhooks are sent there only if the operator allows it."""

    code = "forbidden_target"


class Targets:
    """`allowed`: private networks (ACADEMY_WEBHOOK_NETWORKS) that may be reached all the same."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def check_url(self, url: str) -> None:
        """Invalid for what can be told without asking the network: a plain-text scheme, a literal address."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        except ValueError:  # brackets that do not close, a port that is none
            host, port = "", None
        detail = None
        if not host or port is None or max(map(len, host.split("."))) > LONGEST_LABEL:
            detail = "name a host, and a port between 1 and 65535 if any"
        elif parts.scheme != "https" and not self._allowed:
            detail = "use https: a signature is no secrecy"
        elif parts.username is not None or parts.fragment:
            detail = "leave out user, password and fragment"
        elif (literal := _literal(host)) is not None and not self.allows(literal):
            detail = str(ForbiddenTarget.__doc__)
        if detail is not None:
            raise Invalid("Webhooks cannot be sent there.", errors=[FieldError("/url", detail)])

    async def judge(self, url: str) -> None:
        """The same, and ForbiddenTarget if the name resolves to what is not allowed."""
        self.check_url(url)
        parts = urlsplit(url)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(RESOLVE_SECONDS):
                await self.resolve(
                    parts.hostname or "",
                    parts.port or _PORTS[parts.scheme],
                    secure=parts.scheme == "https",
                )

    def named(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)

    def allows(self, address: Address) -> bool:
        return self.named(address) or _public(address)

    async def resolve(self, host: str, port: int, *, secure: bool) -> Sequence[str]:
        """Every address of `host`. ForbiddenTarget if any of them is not allowed, OSError if there is none."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # not a name at all, says its encoding for the network
            raise OSError(f"{host!r} is no name") from error
        texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for text in texts:
            address = ipaddress.ip_address(text.partition("%")[0])
            # Without TLS nothing proves who answers: only within a network the operator named.
            if not (self.allows(address) if secure else self.named(address)):
                raise ForbiddenTarget
        return texts


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _public(address: Address) -> bool:
    """Reachable on the internet. An IPv4 address inside an IPv6 one is judged by itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only, for one scheme."""

    def __init__(self, targets: Targets, *, secure: bool) -> None:
        self._targets = targets
        self._secure = secure
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Tries one address after another. Raises ForbiddenTarget or httpcore.ConnectError."""
        try:
            addresses = await self._targets.resolve(host, port, secure=self._secure)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                last = error
        raise last
