"""Real storage: Swift's S3 API in a process of its own, and a disk storage behind a real HTTP server."""

from __future__ import annotations

import json
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import pytest
import uvicorn
from fastapi import FastAPI

from academy.keys import KeyRing
from academy.object_stores import Storage
from academy.settings import AddressingStyle, Settings
from academy.storage.bucket import set_up
from academy.storage.disk import DiskStorage
from academy.storage.s3 import S3Storage
from academy.storage.s3_connection import S3Connection
from api import problems
from api.storage_links import storage_router
from tests import ceph_server as ceph_server_programs
from tests import swift_account
from tests.ceph_server import HOST

START_LIMIT = 60
STOP_LIMIT = 20


@dataclass(frozen=True)
class S3Server:
    endpoint: str
    access_key: str
    secret_key: str
    region: str
    addressing_style: AddressingStyle = "path"

    @cached_property
    def connection(self) -> S3Connection:
        return S3Connection(
            endpoint_url=self.endpoint,
            region=self.region,
            addressing_style=self.addressing_style,
            access_key=self.access_key,
            secret_key=self.secret_key,
        )

    @property
    def environment(self) -> dict[str, str]:
        """For services: with `ACADEMY_STORAGE_URL=s3://{bucket}`."""
        return {
            "ACADEMY_S3_ENDPOINT_URL": self.endpoint,
            "ACADEMY_S3_REGION": self.region,
            "ACADEMY_S3_ADDRESSING_STYLE": self.addressing_style,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    @property
    def virtual(self) -> S3Server:
        """The same, its buckets under host names of their own; needs `resolving`."""
        port = self.endpoint.rpartition(":")[2]
        return replace(self, endpoint=f"http://{HOST}:{port}", addressing_style="virtual")

    def new_bucket(self) -> str:
        bucket = f"test-{secrets.token_hex(6)}"
        self.connection.client.create_bucket(Bucket=bucket)
        return bucket


@contextmanager
def running_swift(
    folder: Path, port: int = 0, origin: str = "*", parts: int = swift_account.FEW_PARTS
) -> Iterator[S3Server]:
    """A server for the length of the block. The same folder again continues with its data.

    `origin`: whose pages may use it (CORS). `parts`: how many a page of a list of parts has.
    """
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "tests.swift_server",
                str(folder),
                str(port),
                origin,
                str(parts),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parent.parent,
        )
    try:
        assert process.stdout is not None
        line = _first_line(process)
        if not line:
            raise RuntimeError(f"Swift did not start: {(folder / 'log').read_text()[-2000:]}")
        yield S3Server(
            endpoint=json.loads(line)["endpoint"],
            access_key=swift_account.ACCESS_KEY,
            secret_key=swift_account.SECRET_KEY,
            region=swift_account.REGION,
        )
    finally:
        # Closing its input asks it to stop.
        try:
            process.communicate(timeout=STOP_LIMIT)
        finally:
            process.kill()
            process.wait()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(START_LIMIT) else b""


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture(scope="session")
def ceph_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if lacking := ceph_server_programs.missing():
        packages = ceph_server_programs.PACKAGES
        pytest.skip(f"no {', '.join(lacking)}: on Debian `apt-get install {packages}`")
    # On a real disk: its OSD is a file of gigabytes.
    with (
        tempfile.TemporaryDirectory(prefix="academy-ceph-", dir="/var/tmp") as folder,
        ceph_server_programs.running_ceph(Path(folder)) as endpoint,
    ):
        yield S3Server(
            endpoint=endpoint,
            access_key=ceph_server_programs.ACCESS_KEY,
            secret_key=ceph_server_programs.SECRET_KEY,
            region=ceph_server_programs.REGION,
        )


@pytest.fixture(scope="session")
def resolving() -> Iterator[None]:
    """Names below HOST lead to this machine, as a wildcard record in the DNS would have it."""
    look_up = socket.getaddrinfo

    def found(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if isinstance(name, str) and (name == HOST or name.endswith("." + HOST)):
            host = "127.0.0.1"
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        yield


@pytest.fixture(scope="session")
def virtual_server(s3_server: S3Server, resolving: None) -> S3Server:
    return s3_server.virtual


@pytest.fixture(scope="session")
def ceph_buckets(ceph_server: S3Server, resolving: None) -> dict[str, S3Storage]:
    """One bucket by path and by host name, set up as an operator does."""
    bucket = f"test-{secrets.token_hex(6)}"
    by_path = S3Storage(bucket, "below/a/prefix", ceph_server.connection)
    settings = Settings(cors_origins=["https://studio.example", "https://portal.example"])
    assert [step for step in set_up(by_path, settings) if step.done is not True] == []
    by_name = S3Storage(bucket, "below/a/prefix", ceph_server.virtual.connection)
    return {"ceph": by_path, "ceph-virtual": by_name}


class DiskServer:
    """The real storage controller over HTTP; each test gives it a folder of its own."""

    def __init__(self) -> None:
        self.keys = KeyRing(secrets.token_hex(32))
        self.storage: DiskStorage | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = FastAPI()
        problems.install(app)
        app.include_router(storage_router(lambda _request: self._current()))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._run, name="disk-server")

    def open(self, root: Path) -> DiskStorage:
        self.storage = DiskStorage(root, keys=self.keys, public_url=self.url)
        return self.storage

    def _current(self) -> Storage:
        assert self.storage is not None
        return self.storage

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="session")
def disk_server() -> Iterator[DiskServer]:
    with DiskServer() as server:
        yield server


@pytest.fixture
def disk_storage(disk_server: DiskServer, tmp_path: Path) -> DiskStorage:
    """An empty one whose links work."""
    return disk_server.open(tmp_path / "objects")


@pytest.fixture(scope="session")
def shared_bucket(s3_server: S3Server) -> str:
    """One bucket in which every test has its own prefix."""
    return s3_server.new_bucket()


@pytest.fixture
def s3_storage(s3_server: S3Server, shared_bucket: str) -> S3Storage:
    """An empty one, below a prefix."""
    return S3Storage(shared_bucket, f"of/{secrets.token_hex(6)}", s3_server.connection)


@pytest.fixture(scope="session")
def whole_bucket(s3_server: S3Server) -> S3Storage:
    """A bucket used without a prefix."""
    return S3Storage(s3_server.new_bucket(), connection=s3_server.connection)


SLOW_SERVERS = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("s3-virtual", "ceph", "ceph-virtual")
]


@pytest.fixture(params=["disk", "s3-prefix", *SLOW_SERVERS])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    """Every backend in turn, empty. `s3`, a whole bucket, is for tests that ask for it.

    `make test-slow` also has the S3 server with virtual addressing, and Ceph with both kinds.
    """
    if request.param == "disk":
        yield request.getfixturevalue("disk_storage")
    elif request.param == "s3-prefix":
        yield request.getfixturevalue("s3_storage")
    elif request.param == "s3-virtual":
        server: S3Server = request.getfixturevalue("virtual_server")
        shared: str = request.getfixturevalue("shared_bucket")
        yield S3Storage(shared, f"of/{secrets.token_hex(6)}", server.connection)
    elif request.param.startswith("ceph"):
        storage: S3Storage = request.getfixturevalue("ceph_buckets")[request.param]
        yield storage
        _empty(storage)
    else:
        bucket: S3Storage = request.getfixturevalue("whole_bucket")
        yield bucket
        _empty(bucket)


def _empty(storage: S3Storage) -> None:
    for upload in storage.under_way():
        storage.abort(upload.key, upload.upload_id)
    for page in storage.client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket):
        for entry in page.get("Contents", []):
            storage.client.delete_object(Bucket=storage.bucket, Key=entry["Key"])
