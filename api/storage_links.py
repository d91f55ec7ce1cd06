"""The disk storage's own controller: what signed links to objects and parts lead to.

Plays the part that the S3 server plays elsewhere: no account, the signature in the link is the permission,
so any origin may use it. Bytes move in pieces of 1 MiB through threads; a part on its way in holds
at most two of them in memory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import format_datetime
from typing import BinaryIO

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from academy.errors import AcademyError, Forbidden, Invalid, ObjectNotFound
from academy.object_stores import ObjectInfo, Storage
from academy.storage.disk import DiskStorage
from academy.storage.links import OBJECTS, PARTS
from academy.storage.staging import IncomingPart
from api.byte_ranges import ByteRange, Unsatisfiable, chosen_range, none_match

PIECE = 1024**2
StorageOf = Callable[[Request], Storage]
Handler = Callable[[Request], Awaitable[Response]]

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Length, Content-Range, Accept-Ranges",
}
_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD, PUT",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_SHOWN_INLINE = (
    "video/",
    "audio/",
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/avif",
    "text/vtt",
)
"""Types that run no script. All else is a download: objects share the API's origin."""


def _of_the_application(request: Request) -> Storage:
    storage: Storage = request.app.state.services.backend.storage
    return storage


def storage_router(storage_of: StorageOf = _of_the_application) -> APIRouter:
    """Routes for links made by a DiskStorage; with another backend they answer 404.

    Needs `api.problems.install`. `storage_of` finds the storage of the request's application. Plain
    Starlette routes: players fetch every segment here, and nothing of it belongs into the OpenAPI document.
    """

    async def get_object(request: Request) -> Response:
        storage, query = _disk(storage_of(request)), request.query_params
        key = request.path_params["key"]
        storage.links.check_object(
            key, expires=_number(query.get("expires")), signature=query.get("signature", "")
        )
        return await asyncio.to_thread(_answer, storage, key, request.method, request.headers)

    async def put_part(request: Request) -> Response:
        storage, query = _disk(storage_of(request)), request.query_params
        upload_id, number = request.path_params["upload_id"], request.path_params["number"]
        key, md5 = query.get("key", ""), query.get("md5")
        size = _number(query["size"]) if "size" in query else None
        storage.links.check_part(
            key,
            upload_id,
            number,
            expires=_number(query.get("expires")),
            signature=query.get("signature", ""),
            md5=md5,
            size=size,
        )
        announced = request.headers.get("content-md5", md5)
        if md5 is not None and announced != md5:
            raise Invalid("Content-MD5 is not the one that was signed.", code="bad_digest")
        length = request.headers.get("content-length")
        if size is not None and length is not None and _number(length) != size:
            raise Invalid(f"This part has {size} bytes, not {length}.", code="incomplete_body")
        with ExitStack() as held:
            incoming = await asyncio.to_thread(
                held.enter_context,
                storage.receive_part(key, upload_id, number, md5=announced, size=size),
            )
            try:
                await _pour(request, incoming)
            except ClientDisconnect:
                return Response(status_code=400)
            part = await asyncio.to_thread(incoming.commit)
        return Response(headers=_CORS | {"ETag": f'"{part.etag}"'})

    async def preflight(_: Request) -> Response:
        return Response(status_code=204, headers=_PREFLIGHT)

    router = APIRouter()
    for path, methods, handle in (
        (OBJECTS + "/{key:path}", ["GET", "HEAD"], get_object),
        (PARTS + "/{upload_id}/{number:int}", ["PUT"], put_part),
    ):
        for answer, asked in ((handle, methods), (preflight, ["OPTIONS"])):
            router.add_route(
                path, _for_any_origin(_named(path, answer)), methods=asked, include_in_schema=False
            )
    return router


@dataclass(frozen=True, slots=True)
class _Template:
    path: str


def _named(path: str, handle: Handler) -> Handler:
    """Logs, metrics and traces name routes as FastAPI tells them; Starlette's own tell nothing."""
    template = _Template(path)

    async def answer(request: Request) -> Response:
        request.scope["route"] = template
        return await handle(request)

    return answer


def _for_any_origin(handle: Handler) -> Handler:
    """Errors carry the CORS headers too: without them a page learns no status, only that it failed."""

    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except AcademyError as error:
            explain = request.app.exception_handlers[AcademyError]
            response: Response = await explain(request, error)
            response.headers.update(_CORS)
            return response

    return answer


async def _pour(request: Request, incoming: IncomingPart) -> None:
    """Body to disk: one piece is hashed and written in a thread while the next one arrives.

    While both are under way nothing is read, so the sender is slowed down by TCP.
    """
    writing: asyncio.Future[None] | None = None
    buffer = bytearray()
    try:
        async for data in request.stream():
            buffer += data
            if len(buffer) >= PIECE:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(incoming.write, buffer))
                buffer = bytearray()
    finally:
        if writing is not None:
            await writing
    await asyncio.to_thread(incoming.write, buffer)


def _answer(storage: DiskStorage, key: str, method: str, asked: Headers) -> Response:
    """Blocks on the disk. What fits into one piece is read here at once; the rest is streamed."""
    with ExitStack() as held:
        file, info = storage.open(key)
        held.callback(file.close)
        headers = _described(info)
        if none_match(asked.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        try:
            part = chosen_range(
                asked.get("range"), asked.get("if-range"), headers["ETag"], info.size
            )
        except Unsatisfiable:
            headers["Content-Range"] = f"bytes */{info.size}"
            return Response(status_code=416, headers=headers)
        wanted = part or ByteRange(0, info.size)
        if part is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{info.size}"
        length = wanted.end - wanted.start
        headers["Content-Length"] = str(length)
        headers["Content-Type"] = info.content_type
        status = 200 if part is None else 206
        if method == "HEAD":
            return Response(status_code=status, headers=headers)
        if length <= PIECE:
            body = os.pread(file.fileno(), length, wanted.start)
            if len(body) == length:
                return Response(body, status_code=status, headers=headers)
        held.pop_all()
        return StreamingResponse(_pieces(file, wanted), status_code=status, headers=headers)


def _described(info: ObjectInfo) -> dict[str, str]:
    return _CORS | {
        "ETag": f'"{info.etag}"',
        "Accept-Ranges": "bytes",
        "Last-Modified": format_datetime(info.modified, usegmt=True),
        "Cache-Control": info.cache_control or "private, no-cache",
        "Content-Disposition": _disposition(info.content_type),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


async def _pieces(file: BinaryIO, wanted: ByteRange) -> AsyncIterator[bytes]:
    try:
        position = wanted.start
        while position < wanted.end:
            count = min(PIECE, wanted.end - position)
            piece = await asyncio.to_thread(os.pread, file.fileno(), count, position)
            position += len(piece)
            yield piece
            if not piece:
                raise OSError("The object's file became shorter while it was sent.")
    finally:
        file.close()


def _disposition(content_type: str) -> str:
    return "inline" if content_type.lower().startswith(_SHOWN_INLINE) else "attachment"


def _disk(storage: Storage) -> DiskStorage:
    if not isinstance(storage, DiskStorage):
        raise ObjectNotFound("Objects are not served here: they have links to the object storage.")
    return storage


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 20:
        raise Forbidden("This link is not complete: ask for a new one.", code="bad_signature")
    return int(text)
