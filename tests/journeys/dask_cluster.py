"""`dask scheduler` and `dask worker` processes of their own, for journeys that leave one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.certificates import Certificates
from tests.journeys.installation import PATIENCE, free_port
from tests.journeys.networks import Namespace, Networks
from transcoding.cluster import CONFIGURATION


class Cluster:
    """`dask scheduler` and `dask worker` processes that talk TLS."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates,
        stack: ExitStack,
        *,
        networks: Networks | None = None,
    ) -> None:
        """With networks the scheduler listens in their hub, and the host sees it on its loopback."""
        port = free_port()
        host = networks.hub.address if networks else "127.0.0.1"
        self.address = f"tls://127.0.0.1:{port}"
        """For the host."""
        self._scheduler = f"tls://{host}:{port}"
        self.log = folder / "dask.log"
        self._stack = stack
        self._folder = folder
        self._tls = [
            *("--tls-ca-file", str(certificates.ca)),
            *("--tls-cert", str(certificates.certificate)),
            *("--tls-key", str(certificates.key)),
        ]
        self._run(
            *("scheduler", "--protocol", "tls", "--host", host),
            *("--port", str(port), "--no-dashboard", "--dashboard-address", ":0"),
            env=None,
            inside=networks.hub.inside if networks else (),
        )
        if networks:
            networks.show_on_host(port)

    def add_worker(
        self, env: dict[str, str], place: Namespace | None = None
    ) -> subprocess.Popen[bytes]:
        """On the host, or in a place of the networks."""
        host = place.address if place else "127.0.0.1"
        return self._run(
            *("worker", self._scheduler, "--host", host, "--no-dashboard", "--no-nanny"),
            *("--dashboard-address", ":0", "--nthreads", "1", "--resources", "encoder=1"),
            *("--local-directory", str(self._folder)),
            env=env,
            inside=place.inside if place else (),
        )

    def _run(
        self, *arguments: str, env: dict[str, str] | None, inside: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context(self.log.open("ab"))
        process = subprocess.Popen(
            [*inside, sys.executable, "-W", "ignore", "-m", "dask", *arguments, *self._tls],
            env={**(os.environ if env is None else env), "DASK_CONFIG": str(CONFIGURATION)},
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
