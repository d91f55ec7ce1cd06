"""Runs the application under uvicorn (uvloop and httptools) until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI

from academy import logs
from academy.settings import Settings
from academy.tracing import traced
from api.app import create_app
from api.whole_answers import WholeAnswers

GRACE: Final = 10
"""Seconds for running requests to end; event streams end at once."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """Tells the application that it is closing before waiting for its answers to end."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=WholeAnswers,
                ws="none",
                interface="asgi3",
                log_config=None,  # as everything else logs
                lifespan="off",  # `run` holds it, so that its errors arrive as themselves
                server_header=False,
                forwarded_allow_ips=app.state.settings.trusted_proxies,
                # Addresses carry path tokens, and those open drafts: they stay out of logs.
                access_log=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.closing.set()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """A signal stops the server and is done with: uvicorn would raise it again before the
        stores are closed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    async def run_app(self) -> None:
        """Opens the application, serves, closes it. Raises what opening raises (SettingsError …)."""
        async with self._app.router.lifespan_context(self._app):
            with seldom_collecting():
                await self.serve()


@contextlib.contextmanager
def seldom_collecting() -> Generator[None, None, None]:
    """Keeps the search for cycles from taking a fifth of the time of an answer that has to be made.

    What is there at the start stays and is not walked through again. What an answer leaves behind goes by
    itself, cycles are rare: looked for after ten thousand new objects instead of seven hundred.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT. Raises SettingsError or Unavailable when it cannot start."""
    logs.configure(settings.log_format, settings.log_level)
    server = Server(create_app(settings), host, port)
    with (
        traced(settings, "academy-api"),
        asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner,
    ):
        runner.run(server.run_app())
