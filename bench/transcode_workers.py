"""Two worker processes behind a Dask scheduler against two encoders in one process: the same lecture, the
same folder, so that what differs is the way through Dask."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from academy.settings import Settings
from bench.registry import Result, benchmark
from bench.rounds import interleaved, median_wall
from bench.transcode_lecture import lecture
from transcoding import binary
from transcoding.engine import EngineLost, open_engine
from transcoding.local import transcode_file

SECONDS: Final = 32.0
PROCESSES: Final = 2


@benchmark("transcode.two_workers")
def two_workers() -> Iterable[Result]:
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        folder = Path(place)
        source = lecture(folder, binary.find().path, SECONDS)
        with cluster(folder) as scheduler:
            costs = interleaved(
                {
                    "one": lambda: _transcode(source, folder / "one", None),
                    "two": lambda: _transcode(source, folder / "two", scheduler),
                }
            )
        one, two = median_wall(costs["one"]), median_wall(costs["two"])
        yield Result.of("transcode.two_workers", two, "s wall", one)


def _transcode(source: Path, out: Path, scheduler: str | None) -> None:
    asyncio.run(transcode_file(source, out, workers=PROCESSES, scheduler=scheduler))


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The address of a scheduler with two workers of one encoder each, all on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    port = address.rpartition(":")[2]
    host = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--no-dashboard"]
    worker = [
        *("worker", address, *host, "--no-nanny", "--nthreads", "1", "--resources", "encoder=1"),
        *("--memory-limit", "0", "--local-directory", str(folder)),
    ]
    with ExitStack() as stack:
        for arguments in (["scheduler", *host, "--port", port], *[worker] * PROCESSES):
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "dask", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        asyncio.run(_ready(address))
        yield address


async def _ready(address: str) -> None:
    settings = Settings.load().model_copy(update={"dask_scheduler": address})
    async with asyncio.timeout(120), open_engine(settings) as engine:
        while True:
            try:
                if await engine.slots() == PROCESSES:
                    return
            except EngineLost:
                pass
            await asyncio.sleep(0.2)
