"""The public HTTP API as a client sees it: JSON in and out, problems as this project's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from academy.errors import (
    AcademyError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

KINDS: Final[dict[int, type[AcademyError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: TooLarge,
}
MOST_TRIES: Final = 8
"""Of one request whose failure may pass; with the pauses between them about a minute."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def pause(tries: int) -> float:
    """Seconds before the next try: 0.5, 1, 2 … at most 15."""
    return float(min(15.0, 0.5 * 2 ** (tries - 1)))


class Remote:
    """A session with one API. `http` also reaches storage, where the parts go, without the token."""

    def __init__(self, base: str, token: str) -> None:
        self.base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        host = urlsplit(self.base).hostname
        self.http = httpx.AsyncClient(
            timeout=httpx.Timeout(60, connect=10),
            # A proxy meant for the internet must not catch what stays on this machine.
            trust_env=host not in LOOPBACK,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    def url(self, path: str) -> str:
        return f"{self.base}/v1{path}"

    def headers(self, **more: str) -> dict[str, str]:
        return {**self._headers, **more}

    async def get(self, path: str) -> dict[str, Any]:
        return await self.patiently("GET", path)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Only for requests that may be repeated: all of the upload's, or with `idempotency_key`."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self.patiently("POST", path, body, headers)

    async def patiently(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Repeats what fails for a reason that may pass. Raises AcademyError by kind."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(method, path, body, headers or {})
            except Unavailable:
                if tries == MOST_TRIES:
                    raise
                await asyncio.sleep(pause(tries))

    async def reach(self) -> None:
        """Unavailable at once when nothing answers at the base address."""
        try:
            await self.http.get(f"{self.base}/health/live", timeout=10)
        except httpx.TransportError as error:
            raise Unavailable(
                f"The API at {self.base} does not answer: start it with `academy up`, "
                "or give the address of a running one with --api."
            ) from error
        except httpx.InvalidURL as error:
            raise Invalid(f"--api {self.base} is not an http:// or https:// address.") from error

    async def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        try:
            answer = await self.http.request(
                method,
                self.url(path),
                json=None if body is None else dict(body),
                headers=self.headers(**headers),
            )
        except httpx.TransportError as error:
            raise Unavailable(f"The API at {self.base} does not answer any more.") from error
        if answer.is_success:
            found = answer.json() if answer.content else {}
            return found if isinstance(found, dict) else {"items": found}
        raise problem(answer)


def problem(answer: httpx.Response) -> AcademyError:
    """The error that an RFC 9457 answer describes, with its sentence."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
    sentence = str(document.get("detail") or document.get("title") or "")
    for wrong in document.get("errors") or []:
        sentence += f" ({wrong.get('pointer', '')}: {wrong.get('detail', '')})"
    if not sentence:
        sentence = f"{answer.request.url.host} answered {answer.status_code} without a reason."
    if answer.status_code >= 500 or answer.status_code in {408, 425, 429}:
        return Unavailable(sentence)
    kind = KINDS.get(answer.status_code, Invalid)
    return kind(sentence)
