"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a repeated POST creates once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Header, Response

from api.context import Context, SignedIn

KEPT_HEADERS: Final = ("etag", "location", "content-language", "vary", "cache-control")
Work = Callable[[], Awaitable[Response]]


class Once:
    """Runs the work, or hands out the answer that the first request with this key got.

    Keys belong to the one who sent them. A request that fails leaves its key free. Raises Conflict
    while the first one still runs and Invalid when the key came with another request.
    """

    def __init__(self, context: Context, key: str | None, fingerprint: str) -> None:
        self._context = context
        self._key = key
        self._fingerprint = fingerprint

    async def __call__(self, work: Work) -> Response:
        if self._key is None:
            return await work()
        store = self._context.stores.idempotency
        subject = self._context.access.person().subject
        kept = await store.begin(subject, self._key, self._fingerprint)
        if kept is not None:
            return Response(
                kept["body"],
                kept["status"],
                media_type=kept["media_type"],
                headers={**kept["headers"], "Idempotent-Replay": "true"},
            )
        try:
            response = await work()
        except BaseException:
            await asyncio.shield(store.forget(subject, self._key))
            raise
        await store.finish(subject, self._key, _kept(response))
        return response


def _kept(response: Response) -> dict[str, object]:
    return {
        "status": response.status_code,
        "media_type": response.media_type,
        "body": bytes(response.body).decode(),
        "headers": {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        },
    }


async def _once(
    context: SignedIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            description="A repeated request with the same key gets the first one's answer",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> Once:
    request = context.request
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    digest.update(await request.body())
    return Once(context, idempotency_key, digest.hexdigest())


IdempotencyKey = Annotated[Once, Depends(_once)]
