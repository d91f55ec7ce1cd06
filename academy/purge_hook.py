"""Tells the CDN in front of the media which addresses it must forget, by one HTTP request.

    POST {ACADEMY_CDN_PURGE_URL}
    Authorization: Bearer {ACADEMY_CDN_PURGE_TOKEN}
    {"reason": "takedown", "prefixes": ["https://media.example/media/0a…/"]}

CDNs differ in what they take: a function of a few lines translates. Any 2xx means that it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from academy.errors import Unavailable
from academy.settings import Settings

PATIENCE: Final = 15.0
"""Seconds for the answer."""


@dataclass(frozen=True, slots=True)
class PurgeHook:
    """Without `url` there is no CDN that must be told."""

    url: str | None
    media_url: str
    """Below which the CDN, or else the API, serves what is in the storage."""
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> PurgeHook:
        base = settings.public_media_url or settings.public_url
        return cls(settings.cdn_purge_url, base, settings.cdn_purge_token)

    async def purge(self, prefixes: Sequence[str], *, reason: str) -> bool:
        """False where there is nobody to tell. Unavailable when the answer is not 2xx: repeat it."""
        if self.url is None or not prefixes:
            return False
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        body = {"reason": reason, "prefixes": [f"{self.media_url}/{each}" for each in prefixes]}
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as client:
                answer = await client.post(self.url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"The CDN's purge hook does not answer: {error!r}") from error
        if not answer.is_success:
            raise Unavailable(f"The CDN's purge hook answered {answer.status_code}.")
        return True
