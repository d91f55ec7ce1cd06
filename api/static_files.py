"""Files of one folder, compressed once and kept: on a bad network the player's bytes are a third."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Not left to the system's table: with `nosniff` a module of the wrong type does not run."""
COMPRESSED: Final = frozenset({".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt"})
WORKERS: Final = ".worker.js"
WORKER_POLICY: Final = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
"""A worker has a policy of its own: it may compute what it is handed, and reach nothing."""
WORTH_IT: Final = 1024
"""Bytes; smaller files fit a packet anyway."""
PACKED: Final = "-gzip"
"""Ends the entity tag of the compressed form: another representation has another strong tag."""


class Files(StaticFiles):
    """With a type and caching that are ours to say; gzip (RFC 9110 §8.4.1.3) for who accepts it."""

    def __init__(self, directory: Path, caching: str) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._caching = caching
        self._packed: dict[tuple[str, int, int], bytes] = {}

    async def check_config(self) -> None:
        """A folder that is not there (packages not installed) answers 404 for what would be in it."""

    def file_response(
        self,
        full_path: PathLike,
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        suffix = Path(os.fspath(full_path)).suffix
        if suffix not in TYPES:
            raise HTTPException(404)
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = self._caching
        if os.fspath(full_path).endswith(WORKERS):
            response.headers["Content-Security-Policy"] = WORKER_POLICY
        if response.status_code == 200:
            response.headers["Content-Type"] = TYPES[suffix]
        return response

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Either form's tag will do: both change with the file."""
        plain = request_headers.mutablecopy()
        if "if-none-match" in plain:
            plain["if-none-match"] = plain["if-none-match"].replace(f'{PACKED}"', '"')
        return super().is_not_modified(response_headers, plain)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if Path(path).suffix not in COMPRESSED:
            return response
        response.headers["Vary"] = "Accept-Encoding"
        asked = Headers(scope=scope)
        if (
            not isinstance(response, FileResponse)
            or response.stat_result is None
            or response.stat_result.st_size < WORTH_IT
            or "range" in asked
            or "gzip" not in asked.get("accept-encoding", "")
        ):
            return response
        body = await asyncio.to_thread(self._pack, Path(response.path), response.stat_result)
        headers = dict(response.headers)
        headers["Content-Encoding"] = "gzip"
        headers["ETag"] = headers.pop("etag").removesuffix('"') + f'{PACKED}"'
        for gone in ("content-length", "accept-ranges"):
            headers.pop(gone, None)
        return Response(body, headers=headers)

    def _pack(self, path: Path, stat: os.stat_result) -> bytes:
        key = (str(path), stat.st_mtime_ns, stat.st_size)
        packed = self._packed.get(key)
        if packed is None:
            packed = self._packed[key] = gzip.compress(path.read_bytes(), 9, mtime=0)
        return packed


class Text:
    """One HTML document that is made when the server starts, compressed then."""

    def __init__(self, text: str, caching: str) -> None:
        self._plain = text.encode()
        self._packed = gzip.compress(self._plain, 9, mtime=0)
        self._tag = hashlib.sha256(self._plain).hexdigest()[:32]
        self._headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}

    def answer(self, asked: Headers) -> Response:
        packed = "gzip" in asked.get("accept-encoding", "")
        tag = f'"{self._tag}{PACKED}"' if packed else f'"{self._tag}"'
        headers = {**self._headers, "ETag": tag}
        known = asked.get("if-none-match", "").replace(f'{PACKED}"', '"')
        if f'"{self._tag}"' in known or known.strip() == "*":
            return Response(status_code=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        body = self._packed if packed else self._plain
        return Response(body, headers=headers, media_type=TYPES[".html"])
