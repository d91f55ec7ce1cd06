"""A web server on loopback that serves ranges of one stored object to ffmpeg.

Blocks of 1 MiB, a few of them kept; sequential reading fetches ahead in parallel. A storage that does
not answer is asked again with growing pauses, about six seconds in all; then the connection breaks and
`trouble` says why. The address holds 128 random bits, since other users share the loopback.
"""

from __future__ import annotations

import re
import secrets
import socket
import socketserver
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Final, Self

from academy.errors import AcademyError, Unavailable
from academy.object_stores import ObjectStore

BLOCK: Final = 1 << 20
KEPT: Final = 24
AHEAD: Final = 4
PAUSES: Final = (0.1, 0.3, 0.9, 1.8, 3.0)
Connection = socket.socket | tuple[bytes, socket.socket]
_VIEW: Final = re.compile(r"(\d{1,18})-(\d{1,18})")
IDLE: Final = 60.0
"""Seconds a connection may lie still: ffmpeg pauses reading while its encoders work, then reconnects."""


class RangeReader:
    """Serves `key` while entered. `url` is valid from then on."""

    def __init__(self, storage: ObjectStore, key: str, size: int) -> None:
        self._storage, self._key, self.size = storage, key, size
        self._path = f"/{secrets.token_hex(16)}"
        self._blocks: OrderedDict[int, Future[bytes]] = OrderedDict()
        self._lock = threading.Lock()
        self._newest = -2
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="range-reader")
        self._context = copy_context()
        self._server = _Server(self, self._path)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._blocks.clear()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    def view(self, head: int, offset: int) -> str:
        """The address of the first `head` bytes followed by all from `offset` on."""
        return f"{self.url}/{head}-{offset}"

    def trouble(self) -> str | None:
        """What the storage said when it was given up, if it was."""
        return self._trouble

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes [start, end). Raises what the storage raised at the last attempt."""
        pieces = []
        end = min(end, self.size)
        while start < end:
            piece = self.piece(start, end)
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def piece(self, start: int, end: int) -> bytes:
        """From `start` at most to the end of its block."""
        number = start // BLOCK
        block = self._block(number).result()
        piece = block[start - number * BLOCK : end - number * BLOCK]
        if not piece:
            self._trouble = f"{self._key} is shorter than it was when reading began."
            raise Unavailable(self._trouble)
        return piece

    def _block(self, number: int) -> Future[bytes]:
        with self._lock:
            sequential = number in {self._newest, self._newest + 1}
            self._newest = number
            wanted = self._ask(number)
            if sequential:
                for ahead in range(number + 1, number + 1 + AHEAD):
                    if ahead * BLOCK < self.size:
                        self._ask(ahead)
            while len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        return wanted

    def _ask(self, number: int) -> Future[bytes]:
        known = self._blocks.get(number)
        if known is None or (known.done() and known.exception() is not None):
            # Within whatever the reader was opened for: a thread has a context of its own.
            known = self._pool.submit(self._context.copy().run, self._load, number)
            self._blocks[number] = known
        self._blocks.move_to_end(number)
        return known

    def _load(self, number: int) -> bytes:
        start = number * BLOCK
        end = min(start + BLOCK, self.size)
        for pause in (*PAUSES, None):
            try:
                return b"".join(self._storage.read(self._key, start=start, end=end))
            except Unavailable as error:
                if pause is None:
                    self._trouble = error.message
                    raise
                time.sleep(pause)
            except AcademyError as error:
                self._trouble = error.message
                raise
        raise AssertionError("unreachable")


class _Server(socketserver.ThreadingTCPServer):
    """Not HTTPServer: that one asks the name service for its own name."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, reader: RangeReader, path: str) -> None:
        self.reader, self.path = reader, path
        self._open: set[Connection] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Connection, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """ffmpeg hangs up whenever it seeks; what the storage said is kept in `trouble`."""

    def drop_connections(self) -> None:
        for connection in list(self._open):
            self.shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    server: _Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path, _, view = self.path[1:].partition("/")
        shown = _VIEW.fullmatch(view)
        if not secrets.compare_digest(f"/{path}".encode(), self.server.path.encode()) or (
            view and not shown
        ):
            self._head(HTTPStatus.NOT_FOUND, 0)
            return
        reader = self.server.reader
        head, offset = (int(shown[1]), int(shown[2])) if shown else (reader.size, reader.size)
        size = head + max(0, reader.size - offset)
        wanted = byte_range(self.headers.get("Range"), size)
        if wanted is None:
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, f"bytes */{size}")
            return
        start, end = wanted
        if "Range" in self.headers:
            content = f"bytes {start}-{end - 1}/{size}"
            self._head(HTTPStatus.PARTIAL_CONTENT, end - start, content)
        else:
            self._head(HTTPStatus.OK, size)
        while body and start < end:
            if start < head:
                piece = reader.piece(start, min(end, head))
            else:
                behind = offset - head
                piece = reader.piece(start + behind, end + behind)
            self.wfile.write(piece)
            start += len(piece)

    def _head(self, status: HTTPStatus, length: int, content_range: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if content_range is not None:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent: a line per seek tells nobody anything."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """[start, end) of a single byte range (RFC 9110, 14.1.2); the whole without one; None: not satisfiable."""
    if header is None:
        return 0, size
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
    return (start, end) if start < end else None
