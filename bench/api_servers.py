"""Server processes for the benchmarks of the API, and a client that costs them nothing.

CPU is read from the kernel's own account of the process (nanoseconds, all threads), so it does not
matter what else the machine does or how fast the client is.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 8
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds so far, of all its threads that live."""
        tasks = Path(f"/proc/{self.pid}/task")
        return (
            sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
        )


@contextlib.contextmanager
def serving(target: str, **environment: str) -> Iterator[Server]:
    """`target`: a function of this package (`module:name`) that makes the ASGI application. It is
    served by uvicorn as `api/server.py` does, in a process of its own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.api_process", target, str(port)],
        env={**os.environ, **environment},
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{target} did not start") from None
                time.sleep(0.05)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


class Client:
    """Keep-alive connections over plain sockets, one request under way on each. They are opened for
    each batch: a server closes those that were idle for a few seconds.
    """

    def __init__(self, server: Server, connections: int = CONNECTIONS) -> None:
        self._port = server.port
        self._most = connections
        self._opened: list[socket.socket] = []

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def open(self) -> None:
        """All connections, for a batch in which opening them does not count."""
        self._opened = [self._connect() for _ in range(self._most)]

    def ask(self, requests: Sequence[bytes], status: int = 200) -> list[float]:
        """All of them, spread over the connections. Seconds of each; every answer's status is checked."""
        waiting = list(reversed(requests))
        expected = f"HTTP/1.1 {status} ".encode()
        seconds: list[float] = []
        selector = selectors.DefaultSelector()
        begun: dict[int, float] = {}
        parts: dict[int, bytes] = {}

        def send(connection: socket.socket) -> None:
            parts[connection.fileno()] = b""
            begun[connection.fileno()] = time.perf_counter()
            connection.sendall(waiting.pop())

        connections, self._opened = self._opened, []
        if not connections:
            connections = [self._connect() for _ in range(min(self._most, len(waiting)))]
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ, connection)
            send(connection)
        while len(seconds) < len(requests):
            for event, _ in selector.select():
                connection = event.data
                number = connection.fileno()
                received = connection.recv(1 << 18)
                assert received, "the server closed a connection"
                whole = parts[number] = parts[number] + received
                if not _complete(whole):
                    continue
                assert whole.startswith(expected), whole[:400]
                seconds.append(time.perf_counter() - begun[number])
                if waiting:
                    send(connection)
        selector.close()
        for connection in connections:
            connection.close()
        return seconds

    def one(self, request: bytes) -> tuple[list[bytes], bytes]:
        """One answer's header lines (status first) and body."""
        with self._connect() as connection:
            connection.sendall(request)
            whole = b""
            while not _complete(whole):
                received = connection.recv(1 << 18)
                assert received, "the server closed a connection"
                whole += received
        head, body = whole.split(b"\r\n\r\n", 1)
        return head.split(b"\r\n"), body


def request(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: academy.test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _complete(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = answer.find(b"content-length: ", 0, end)
    length = 0 if at < 0 else int(answer[at + 16 : answer.index(b"\r\n", at)])
    return len(answer) >= end + 4 + length
