"""Scheduler and worker, as docker-compose.yml starts them, form a cluster."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from academy.errors import Unavailable
from academy.settings import Settings
from tests.academy.compose_file import command_of, read_compose, services_of
from transcoding.engine import open_engine


@contextmanager
def running(arguments: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{arguments[1]}.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
    return port


@pytest.mark.slow
@pytest.mark.journey
async def test_scheduler_and_worker_of_the_file_form_a_cluster_over_tls(tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed here")
    tls = tmp_path / "dask-tls"
    tls.mkdir()
    services = services_of(read_compose())
    script = services["certificates"]["entrypoint"][-1].replace("/dask-tls", shlex.quote(str(tls)))
    for _ in range(2):
        subprocess.run(["sh", "-euc", script], check=True, capture_output=True, timeout=60)
    assert {path.name for path in tls.iterdir()} == {"certificate.pem", "key.pem"}

    port = free_port()
    here = {
        "8786": str(port),
        "tls://scheduler:8786": f"tls://127.0.0.1:{port}",
        "127.0.0.1:8787": "127.0.0.1:0",
        "127.0.0.1:8788": "127.0.0.1:0",
        "dask": str(Path(sys.executable).parent / "dask"),
        "/tmp": str(tmp_path),
    }

    def adapted(name: str) -> list[str]:
        words = [here.get(word, word) for word in command_of(services, name)]
        return [word.replace("/dask-tls", str(tls)) for word in words]

    settings = Settings(
        dask_scheduler=f"tls://127.0.0.1:{port}",
        dask_tls_ca=tls / "certificate.pem",
        dask_tls_cert=tls / "certificate.pem",
        dask_tls_key=tls / "key.pem",
    )
    with ExitStack() as started:
        for name in ("scheduler", "worker"):
            started.enter_context(running(adapted(name), tmp_path))
        await _until_there_is_a_worker(settings)


async def _until_there_is_a_worker(settings: Settings) -> None:
    """The test's own time limit ends the wait."""
    while True:
        with suppress(Unavailable):
            async with open_engine(settings) as engine:
                if await engine.slots() == 1:
                    return
        await asyncio.sleep(0.3)
