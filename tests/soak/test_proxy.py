from __future__ import annotations

import socket
import threading

import pytest

from tests.soak.proxy import Proxy


@pytest.fixture
def echo():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    near, _ = server.accept()
                except OSError:
                    return
                with near:
                    while piece := near.recv(100):
                        near.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_bytes_pass_both_ways_and_dropped_connections_end(echo):
    with Proxy(lambda: echo) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
            connection.sendall(b"hello")
            assert connection.recv(100) == b"hello"
            assert proxy.drop() == 2
            assert connection.recv(100) == b""
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
            connection.sendall(b"again")
            assert connection.recv(100) == b"again"


def test_a_target_that_is_down_ends_the_connection(echo):
    with (
        Proxy(lambda: 1) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), 10) as connection,
    ):
        assert connection.recv(1) == b""
