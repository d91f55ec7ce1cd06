"""The embedded mongod as its owner sees it: start, url, stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pymongo.errors import PyMongoError

from academy.embedded import guardian, replica_set
from academy.embedded.binary import find_mongod
from academy.embedded.home import Home
from academy.embedded.replica_set import HOST
from academy.errors import SettingsError, Unavailable

LISTEN_SECONDS: Final = 60.0
"""For recovery after a crash on a slow disk; a usual start takes well under one second."""
MOST_PORTS: Final = 5
"""Tried before giving up."""
ADDRESS_IN_USE: Final = 48
"""mongod's exit status."""
_OPTIONS: Final = (
    "--bind_ip", HOST,
    "--nounixsocket",
    "--replSet", replica_set.NAME,
    "--quiet",
    "--wiredTigerCacheSizeGB", "0.25",  # the machine belongs to the encoder
    "--oplogSize", "256",
    # Without this the journal preallocates 300 MB in an empty data directory.
    "--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
)  # fmt: skip

_Process = subprocess.Popen[bytes]


class EmbeddedMongo:
    """Usable as a context manager; `url` is set while it runs. Synchronous: call it in a thread."""

    def __init__(self, data_dir: Path, *, mongod: Path | None = None) -> None:
        self._home = Home(data_dir.absolute() / "mongodb")
        self._mongod = mongod
        self._guardian: _Process | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        if self._url is None:
            raise Unavailable("The embedded MongoDB is not running.")
        return self._url

    def start(self) -> str:
        """The URL, credentials included. Returns when writes are possible.

        Raises SettingsError (no mongod, or the directory cannot be used), Conflict (another process
        uses the directory) and Unavailable (mongod failed; the message ends with its last words).
        """
        if self._guardian is not None:
            return self.url
        binary = self._mongod or self._home.binary() or find_mongod()
        self._home.prepare()
        lock = self._home.lock()
        try:
            port, self._guardian = self._launch(binary, lock)
        finally:
            os.close(lock)  # the guardian's copy holds it from here on
        try:
            self._url = replica_set.become_primary(self._home, port)
        except PyMongoError as error:
            words = self._home.last_words()
            self.stop()
            raise Unavailable(f"MongoDB did not become ready: {error}\n{words}") from error
        except BaseException:
            self.stop()
            raise
        self._home.keep_binary(binary)
        return self._url

    def stop(self) -> None:
        """Returns when mongod has ended. Idempotent."""
        process, self._guardian, self._url = self._guardian, None, None
        if process is not None:
            _end(process)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, binary: Path, lock: int) -> tuple[int, _Process]:
        port = self._home.port()
        for _ in range(MOST_PORTS):
            port = port if port is not None and _is_free(port) else _free_port()
            self._home.keep_port(port)
            process = self._spawn(binary, lock, port)
            try:
                if self._listens(process, port):
                    return port, process
            except BaseException:
                _end(process)
                raise
            status = process.poll()
            _end(process)
            if status != ADDRESS_IN_USE:
                break
            port = None
        words = self._home.last_words()
        if "error while loading shared libraries" in words:
            raise SettingsError(
                f"mongod cannot start, a system library is missing ({words.splitlines()[-1]}): "
                "install it (Debian and Ubuntu: `apt-get install libcurl4`), "
                "or set ACADEMY_MONGODB_URL to a replica set that runs elsewhere."
            )
        raise Unavailable(f"mongod did not start (exit status {status}).\n{words}")

    def _spawn(self, binary: Path, lock: int, port: int) -> _Process:
        command = [
            str(binary),
            *_OPTIONS,
            *("--port", str(port)),
            *("--dbpath", str(self._home.data)),
            *("--keyFile", str(self._home.key_file)),
        ]
        self._home.new_log()
        with self._home.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", guardian.__file__, str(lock), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the parent, which stops its parts in order
                env={**os.environ, "LC_ALL": "C"},  # mongod refuses locales that are not installed
            )

    def _listens(self, process: _Process, port: int) -> bool:
        """By its own log too: whoever else took the port meanwhile would answer there as well."""
        deadline = time.monotonic() + LISTEN_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                continue
            if "Waiting for connections" in self._home.log.read_text(errors="replace"):
                return True
        return False


def _end(process: _Process) -> None:
    assert process.stdin is not None  # noqa: S101 - Popen(stdin=PIPE) always has it
    process.stdin.close()
    try:
        process.wait(guardian.STOP_SECONDS + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
