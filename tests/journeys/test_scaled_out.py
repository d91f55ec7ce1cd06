"""The same path over S3 storage, an external MongoDB and Dask workers that are processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from tests.certificates import Certificates, make_certificates
from tests.fixtures_footage import Footage
from tests.fixtures_storage import S3Server
from tests.journeys.conftest import Installing
from tests.journeys.decoding import decode
from tests.journeys.installation import PATIENCE, free_port, wait_until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


class Cluster:
    """`dask scheduler` and `dask worker` processes that talk TLS."""

    def __init__(self, folder: Path, certificates: Certificates, stack: ExitStack) -> None:
        self.address = f"tls://127.0.0.1:{free_port()}"
        self.log = folder / "dask.log"
        self._stack = stack
        self._folder = folder
        self._tls = [
            *("--tls-ca-file", str(certificates.ca)),
            *("--tls-cert", str(certificates.certificate)),
            *("--tls-key", str(certificates.key)),
        ]
        self._run(
            *("scheduler", "--protocol", "tls", "--host", "127.0.0.1"),
            *(
                "--port",
                self.address.rsplit(":", 1)[1],
                "--no-dashboard",
                "--dashboard-address",
                ":0",
            ),
            env=None,
        )

    def add_worker(self, env: dict[str, str]) -> subprocess.Popen[bytes]:
        return self._run(
            *("worker", self.address, "--host", "127.0.0.1", "--no-dashboard", "--no-nanny"),
            *("--dashboard-address", ":0", "--nthreads", "1", "--resources", "encoder=1"),
            *("--local-directory", str(self._folder)),
            env=env,
        )

    def _run(self, *arguments: str, env: dict[str, str] | None) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context(self.log.open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dask", *arguments, *self._tls],
            env=env,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, make_certificates(tmp_path), stack)


def test_remote_workers_over_tls_and_s3_make_a_lecture_though_one_is_killed(
    install: Installing,
    cluster: Cluster,
    s3_server: S3Server,
    mongo_url: str,
    database_name: str,
    footage: Footage,
    tmp_path: Path,
) -> None:
    academy = install(
        **s3_server.environment,
        ACADEMY_STORAGE_URL=f"s3://{s3_server.new_bucket()}/academy",
        ACADEMY_MONGODB_URL=mongo_url,
        ACADEMY_MONGODB_DATABASE=database_name,
        ACADEMY_DASK_SCHEDULER=cluster.address,
        ACADEMY_DASK_TLS_CA=str(tmp_path / "ca.pem"),
        ACADEMY_DASK_TLS_CERT=str(tmp_path / "certificate.pem"),
        ACADEMY_DASK_TLS_KEY=str(tmp_path / "key.pem"),
    ).start()
    academy.add_course("journey")
    workers = [cluster.add_worker(academy.env) for _ in range(2)]
    recording = footage("lecture", duration=32)
    lecture_id = academy.uploaded(
        academy.run(
            "upload", str(recording), *["--course", "journey", "--title", "Far", "--publish"]
        )
    )
    wait_until(
        lambda: academy.lecture(lecture_id)["playback"]["state"] == "streaming",
        "the lecture streams",
        also=lambda: academy.log() + cluster.log.read_text(errors="replace")[-4000:],
    )
    encoders = psutil.Process(workers[0].pid).children(recursive=True)
    workers[0].kill()
    workers[0].wait()
    _, outliving = psutil.wait_procs(encoders, timeout=10)
    assert outliving == []

    academy.settled(lecture_id, "succeeded")

    playback = academy.lecture(lecture_id)["playback"]
    assert decode(playback["hls"]).frames == 960
    segment = first_segment(playback["hls"])
    assert segment.status_code == 307
    assert segment.headers["location"].startswith(s3_server.endpoint)


def first_segment(manifest: str) -> httpx.Response:
    """The API's answer for the first segment of the first rendition."""
    text = httpx.get(manifest).text
    media = next(line for line in text.splitlines() if line and not line.startswith("#"))
    playlist = httpx.URL(manifest).join(media)
    name = next(
        line for line in httpx.get(playlist).text.splitlines() if line and not line.startswith("#")
    )
    return httpx.get(playlist.join(name))
