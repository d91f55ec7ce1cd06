"""Ceph's RADOS Gateway with one monitor, manager and OSD of its own: a second real S3 server.

Unlike Swift it keeps CORS rules, lifecycles and policies of buckets. From Debian's packages `radosgw
ceph-mon ceph-mgr ceph-osd`; starts in about 20 seconds and takes 600 MiB. Data stay in one folder.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PROGRAMS = ("ceph-mon", "ceph-mgr", "ceph-osd", "radosgw", "ceph", "monmaptool", "ceph-authtool")
PACKAGES = "radosgw ceph-mon ceph-mgr ceph-osd ceph-common"
ACCESS_KEY = "testacademy"
SECRET_KEY = "testacademysecret"
REGION = "us-east-1"
HOST = "s3.test"
"""The name below which buckets have host names of their own (virtual addressing)."""
PATIENCE = 120
DAY = 5
"""Seconds that the rules of a bucket take for a day."""
OSD_BYTES = 6 * 1024**3
"""Of a sparse file."""


def missing() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_ceph(folder: Path) -> Iterator[str]:
    """The gateway's address, for the length of the block."""
    cluster = _Cluster(folder)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


class _Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "ceph.conf"
        self.keyring = folder / "keyring"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()

    def start(self) -> str:
        self._configure()
        self._start_monitor()
        self._daemon("ceph-mgr", "-i", "x")
        self._start_osd()
        self._run("radosgw-admin", "user", "create", "--uid=academy", "--display-name=Academy",
            f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")  # fmt: skip
        self._daemon("radosgw", "-n", "client.admin")
        endpoint = f"http://127.0.0.1:{self.port}"
        _wait(lambda: _answers(endpoint), f"radosgw answers\n{self._log()}")
        return endpoint

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            process.wait()

    def _configure(self) -> None:
        mon = free_port()
        for name in ("mon", "osd", "mgr", "run"):
            (self.folder / name).mkdir()
        self.fsid = str(uuid.uuid4())
        self.address = f"v1:127.0.0.1:{mon}"
        self.conf.write_text(
            f"""[global]
fsid = {self.fsid}
mon host = [{self.address}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {self.keyring}
run dir = {self.folder}/run
admin socket = {self.folder}/run/$name.asok
log file = {self.folder}/$name.log
crash dir = {self.folder}/run
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
mon osd full ratio = .99
public network = 127.0.0.0/8
ms bind msgr2 = false
[mon.x]
mon data = {self.folder}/mon
mon initial members = x
[osd.0]
osd data = {self.folder}/osd
osd objectstore = bluestore
bluestore block size = {OSD_BYTES}
bluestore block create = true
bluestore fsck on mount = false
osd memory target = 939524096
[mgr.x]
mgr data = {self.folder}/mgr
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:{self.port}
rgw dns name = {HOST}
rgw lc debug interval = {DAY}
rgw enable usage log = false
rgw thread pool size = 64
"""
        )

    def _start_monitor(self) -> None:
        self._run("ceph-authtool", "--create-keyring", str(self.keyring), "--gen-key",
            "-n", "mon.", "--cap", "mon", "allow *")  # fmt: skip
        everything = [
            argument
            for service in ("mon", "osd", "mgr", "mds")
            for argument in ("--cap", service, "allow *")
        ]
        for name in ("client.admin", "mgr.x"):
            self._run("ceph-authtool", str(self.keyring), "--gen-key", "-n", name, *everything)
        monmap = str(self.folder / "monmap")
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "x",
            f"[{self.address}]", monmap)  # fmt: skip
        self._run(
            "ceph-mon", "--mkfs", "-i", "x", "--monmap", monmap, "--keyring", str(self.keyring)
        )
        self._daemon("ceph-mon", "-i", "x")
        _wait(lambda: self._ceph("status") is not None, f"the monitor answers\n{self._log()}")

    def _start_osd(self) -> None:
        identity = str(uuid.uuid4())
        self._run("ceph-authtool", str(self.keyring), "--gen-key", "-n", "osd.0")
        given = self.folder / "osd-secret.json"
        printed = self._run(
            "ceph-authtool", str(self.keyring), "-n", "osd.0", "--print-key"
        ).stdout.strip()
        given.write_text(json.dumps({"cephx_secret": printed}))
        self._run("ceph", "osd", "new", identity, "0", "-i", str(given))
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._daemon("ceph-osd", "-i", "0")
        _wait(lambda: "1 up" in (self._ceph("osd", "stat") or ""), f"the OSD is up\n{self._log()}")

    def _ceph(self, *arguments: str) -> str | None:
        try:
            return self._run("ceph", "--connect-timeout", "5", *arguments).stdout
        except subprocess.CalledProcessError:
            return None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        configured = () if program in {"ceph-authtool", "monmaptool"} else ("-c", str(self.conf))
        return subprocess.run(
            [program, *arguments, *configured],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )

    def _daemon(self, program: str, *arguments: str) -> None:
        with (self.folder / "output").open("ab") as output:
            self.processes.append(
                subprocess.Popen(
                    [program, "-f", "-c", str(self.conf), *arguments],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                )
            )

    def _log(self) -> str:
        found = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{file}:\n{file.read_text(errors='replace')[-1500:]}" for file in found)


def _answers(endpoint: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(endpoint, timeout=5).status_code < 500
    return False


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise RuntimeError(f"never happened: {what}")
