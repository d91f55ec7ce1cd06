"""Handing out the objects of one media to whoever holds its path token.

Manifests pass through the API, so that the relative addresses inside them inherit the token; all
else is a redirect to storage, so that no segment costs the API its bytes.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from academy.errors import NotFound
from academy.media import media_prefix
from academy.object_stores import Storage
from academy.playback import MediaLinks

MANIFESTS: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt; charset=utf-8",
}
LINK_SECONDS: Final = 3600
"""Validity of the signed address that a redirect leads to."""

_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Delivery:
    links: MediaLinks
    storage: Storage

    def key(self, token: str, name: str) -> str:
        """The object's key. NotFound for a token never made and for names no media has (such as
        those with `..`); Gone for a token that has expired.
        """
        media_id = self.links.media_of(token)
        if _NAME.fullmatch(name) is None or len(name) > 300:
            raise NotFound
        return media_prefix(media_id) + name

    async def manifest(self, key: str) -> bytes:
        return await asyncio.to_thread(lambda: b"".join(self.storage.read(key)))

    async def address(self, key: str) -> str:
        """Valid for LINK_SECONDS at least, and the same for a while. Whether there is such an
        object, the storage itself will say.
        """
        return await asyncio.to_thread(self.storage.signed_url, key, expires_in=LINK_SECONDS)

    async def picture(self, media_id: str, name: str) -> str:
        """Where a picture of published media is read: through the CDN, or a signed address."""
        if self.links.public_media_url is not None:
            return f"{self.links.base(media_id, public=True)}/{name}"
        return await self.address(media_prefix(media_id) + name)


def manifest_type(name: str) -> str | None:
    """The content type of what passes through the API; None for what is redirected."""
    return MANIFESTS.get(PurePosixPath(name).suffix)
