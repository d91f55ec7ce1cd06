"""`dask scheduler` and `dask worker` processes of their own, for journeys that leave one machine."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.certificates import Certificates
from tests.journeys.installation import PATIENCE, free_port


class Cluster:
    """`dask scheduler` and `dask worker` processes that talk TLS."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates,
        stack: ExitStack,
        *,
        host: str = "127.0.0.1",
    ) -> None:
        self.address = f"tls://{host}:{free_port()}"
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
            *(
                "--port",
                self.address.rsplit(":", 1)[1],
                "--no-dashboard",
                "--dashboard-address",
                ":0",
            ),
            env=None,
        )

    def add_worker(
        self, env: dict[str, str], *, host: str = "127.0.0.1", inside: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """`inside`: the words that run a command elsewhere, such as in a network namespace."""
        return self._run(
            *("worker", self.address, "--host", host, "--no-dashboard", "--no-nanny"),
            *("--dashboard-address", ":0", "--nthreads", "1", "--resources", "encoder=1"),
            *("--local-directory", str(self._folder)),
            env=env,
            inside=inside,
        )

    def _run(
        self, *arguments: str, env: dict[str, str] | None, inside: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context(self.log.open("ab"))
        process = subprocess.Popen(
            [*inside, sys.executable, "-W", "ignore", "-m", "dask", *arguments, *self._tls],
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
