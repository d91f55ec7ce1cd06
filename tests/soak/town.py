"""A whole installation of separate processes, each link to database and storage through a proxy."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil

from academy.embedded import EmbeddedMongo
from tests import swift_account
from tests.fixtures_storage import S3Server
from tests.journeys.installation import ACADEMY, free_port, wait_until
from tests.soak.proxy import Proxy
from tests.soak.services import Service

ROOT = Path(__file__).parents[2]
DASK = [sys.executable, "-W", "ignore", "-m", "dask"]
SMALL_DISK = "size=96m"
START = 600
"""Seconds that eight processes may take to start on a busy machine."""


@dataclass
class Town:
    folder: Path
    env: dict[str, str]
    url: str
    mongo_url: str
    storage: S3Server
    services: dict[str, Service] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    disk: Path | None = None
    """A small file system that holds the workers' temporary files, where one could be mounted."""

    def run(
        self, *arguments: str, timeout: float = 300, notes: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`notes`: where to note which parts were acknowledged."""
        noting = [sys.executable, "-m", "tests.soak.noting", str(notes)]
        return subprocess.run(
            [*(ACADEMY if notes is None else noting), *arguments],
            env={**self.env, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def logs(self) -> str:
        return "\n".join(
            f"{file.name}:\n{file.read_text(errors='replace')[-3000:]}"
            for file in sorted(self.folder.glob("*.log"))
        )

    def mongod(self) -> psutil.Process | None:
        for each in psutil.Process().children(recursive=True):
            if each.name() == "mongod":
                return each
        return None


@contextmanager
def town(folder: Path, *, profile: str, workers: int = 2) -> Iterator[Town]:
    """Two dispatchers, one API, a Dask scheduler and workers, Swift and mongod."""
    with ExitStack() as stack:
        mongo = stack.enter_context(EmbeddedMongo(folder))
        parts = urlsplit(mongo.url)
        mongo_proxy = stack.enter_context(Proxy(lambda: urlsplit(mongo.url).port or 0))
        host = f"{parts.username}:{parts.password}@127.0.0.1:{mongo_proxy.port}"
        query = "&".join(
            word for word in parts.query.split("&") if not word.startswith(("replicaSet", "direct"))
        )
        mongo_url = urlunsplit(
            ("mongodb", host, parts.path or "/", f"{query}&directConnection=true".lstrip("&"), "")
        )
        swift_port = free_port()
        s3_proxy = stack.enter_context(Proxy(lambda: swift_port))
        swift_folder = folder / "swift"
        swift_folder.mkdir()
        storage = S3Server(
            f"http://127.0.0.1:{s3_proxy.port}",
            swift_account.ACCESS_KEY,
            swift_account.SECRET_KEY,
            swift_account.REGION,
        )
        scheduler, port = f"tcp://127.0.0.1:{free_port()}", free_port()
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ACADEMY_")},
            **storage.environment,
            "ACADEMY_DATA_DIR": str(folder / "data"),
            "ACADEMY_MONGODB_URL": mongo_url,
            "ACADEMY_MONGODB_DATABASE": "soak",
            "ACADEMY_SECRET_KEY": secrets.token_hex(32),
            "ACADEMY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "ACADEMY_DASK_SCHEDULER": scheduler,
            "ACADEMY_PROFILE": profile,
            "ACADEMY_RATE_LIMIT_READS": "off",
            "ACADEMY_RATE_LIMIT_WRITES": "off",
        }
        (folder / "data").mkdir()
        built = Town(folder, env, f"http://127.0.0.1:{port}", mongo_url, storage)
        built.proxies = {"mongod": mongo_proxy, "storage": s3_proxy}
        built.disk = _small_disk(folder / "disk", stack)

        def add(name: str, *command: str, **changes: str) -> Service:
            service = Service(name, lambda: command, {**env, **changes}, folder)
            built.services[name] = service
            stack.callback(service.stop)
            service.start()
            return service

        swift = [sys.executable, "-W", "ignore", "-m", "tests.swift_server"]
        add("swift", *swift, str(swift_folder), str(swift_port), PYTHONPATH=str(ROOT))
        wait_until(lambda: _answers(storage.endpoint), "Swift answers", also=built.logs)
        env["ACADEMY_STORAGE_URL"] = f"s3://{storage.new_bucket()}/academy"
        local = scheduler.rsplit(":", 1)[1]
        add(
            "scheduler",
            *(*DASK, "scheduler", "--host", "127.0.0.1", "--port", local),
            *("--no-dashboard", "--dashboard-address", ":0"),
        )
        for number in range(workers):
            add(
                f"worker-{number}",
                *(
                    *DASK,
                    "worker",
                    scheduler,
                    "--host",
                    "127.0.0.1",
                    "--no-dashboard",
                    "--no-nanny",
                ),
                *("--dashboard-address", ":0", "--nthreads", "1", "--resources", "encoder=1"),
                *("--local-directory", str(folder)),
                TMPDIR=str(built.disk or folder),
            )
        add("api", *ACADEMY, "api", "--port", str(port), "--with-parent")
        for number in range(2):
            add(f"transcoder-{number}", *ACADEMY, "transcoder", "--with-parent")
        wait_until(built.ready, "the API is ready", also=built.logs, patience=START)
        yield built


def _answers(endpoint: str) -> bool:
    try:
        return httpx.get(f"{endpoint}/healthcheck", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _small_disk(path: Path, stack: ExitStack) -> Path | None:
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", SMALL_DISK, "academy-soak", str(path)]
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    if subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        return None

    def unmount() -> None:
        for _ in range(20):
            if (
                subprocess.run(["umount", str(path)], check=False, capture_output=True).returncode
                == 0
            ):
                return
            time.sleep(0.5)

    stack.callback(unmount)
    return path


def token(built: Town, role: str, subject: str | None = None) -> str:
    """Issued once: asking for one starts a process."""
    whose = subject or role
    if whose not in built.tokens:
        asked = ["token", "--role", role, "--subject", whose]
        built.tokens[whose] = built.run(*asked).stdout.strip()
    return built.tokens[whose]


def course(built: Town, slug: str) -> str:
    """A published course with one lecture to watch; the lecture's id."""
    with httpx.Client(
        base_url=built.url, headers={"Authorization": f"Bearer {token(built, 'admin')}"}, timeout=60
    ) as client:
        body = {"slug": slug, "title": {"en": "Soak"}, "language": "en"}
        answer = client.post("/v1/courses", json=body)
        if answer.status_code != 201:
            raise RuntimeError(json.dumps(answer.json()))
        client.post(f"/v1/courses/{slug}/publish").raise_for_status()
        made = client.post(f"/v1/courses/{slug}/lectures", json={"title": {"en": "Watched"}})
        lecture_id: str = made.raise_for_status().json()["id"]
        client.post(f"/v1/lectures/{lecture_id}/publish").raise_for_status()
        return lecture_id
