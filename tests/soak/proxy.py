"""A TCP proxy that delays and drops the connections between services."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

PIECE = 1 << 16


class Proxy:
    """Listens on a free port of loopback while entered and passes everything on to `target()`."""

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.delay = 0.0
        """Seconds that every piece waits."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.drop()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def drop(self) -> int:
        """Breaks every connection, as a restarted router does; how many there were."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _break(connection)
        return len(connections)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target()), 5)
        except OSError:
            near.close()
            return
        for connection in (near, far):
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
        back.start()
        self._pass_on(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    def _pass_on(self, start: socket.socket, end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := start.recv(PIECE):
                if self.delay:
                    time.sleep(self.delay)
                end.sendall(piece)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_WR)


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
