"""A file and a web server that nobody may touch, and that know when somebody did."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Self

IN_OPEN = 0x20
LINUX = sys.platform.startswith("linux")


class FileCanary:
    """Counts openings of a file (Linux: inotify)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._notes = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._libc.inotify_add_watch(self._notes, os.fsencode(path), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(path))

    def opened(self) -> int:
        """How often the file was opened since the last question."""
        count = 0
        while True:
            try:
                data = os.read(self._notes, 4096)
            except BlockingIOError:
                return count
            at = 0
            while at < len(data):
                at += 16 + struct.unpack_from("I", data, at + 12)[0]
                count += 1

    def close(self) -> None:
        os.close(self._notes)


class _Handler(BaseHTTPRequestHandler):
    server: ServerCanary

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.send_error(404)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


class ServerCanary(ThreadingTCPServer):
    """A web server on loopback that remembers every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/canary.ts"
