"""Media by path token: growing playlists, manifests, and redirects for everything else."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response

from academy.delivery import LINK_SECONDS, Delivery, manifest_type
from academy.playlists import HLS_TYPE
from api.context import Services, services
from api.etags import not_modified
from api.routing import Responses, problems, router

routes: Final = router("media")

Held = Annotated[Services, Depends(services)]
Token = Annotated[str, Path(max_length=120, description="From the addresses in `playback`")]

PLAYLIST: Final[Responses] = {200: {"content": {HLS_TYPE: {}}}}
OBJECT: Final[Responses] = {
    200: {"description": "A manifest"},
    307: {"description": "To the object's bytes"},
}
GROWING: Final = "max-age=1"
FINAL: Final = f"private, max-age={24 * 3600}, immutable"
"""Final manifests are written once under a name of their own."""
REDIRECT: Final = f"private, max-age={LINK_SECONDS // 2}"
"""Half the link's life, so that a redirect out of a cache still leads somewhere."""


@routes.get(
    "/media/{token}/growing/{name}",
    response_class=Response,
    responses=PLAYLIST | problems(404, 410),
)
async def get_growing_playlist(request: Request, held: Held, token: Token, name: str) -> Response:
    """The HLS playlists of a lecture that is still being transcoded: `main.m3u8` and one per track.

    Events that only grow; the same address keeps answering, with an end, once all is there.
    """
    media_id = held.links.media_of(token)
    text = await held.growing.playlist(media_id, name, held.links.with_token(token))
    return _tagged(request, text.encode(), HLS_TYPE, GROWING)


@routes.get(
    "/media/{token}/{name:path}",
    response_class=Response,
    responses=OBJECT | problems(404, 410),
)
async def get_media(request: Request, held: Held, token: Token, name: str) -> Response:
    """Manifests and captions as they are; 307 to a signed address for segments and images."""
    delivery = Delivery(held.links, held.backend.storage)
    key = delivery.key(token, name)
    content_type = manifest_type(name)
    if content_type is not None:
        return _tagged(request, await delivery.manifest(key), content_type, FINAL)
    headers = {"Location": await delivery.address(key), "Cache-Control": REDIRECT}
    return Response(status_code=307, headers=headers)


def _tagged(request: Request, body: bytes, content_type: str, caching: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": caching}
    if not_modified(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=content_type, headers=headers)
