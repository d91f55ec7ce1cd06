"""Two Dask workers in network namespaces of their own against two encoders in the transcoder's process.

Two installations with the same S3 server and the same MongoDB get the same lecture in turn, uploaded as people do;
what counts is the time from the job's creation to its end. The first encodes in its own process. The second knows a
Dask scheduler (TLS) whose two workers have addresses of their own and reach nothing else of this machine but
the store and the database: all that they read and write goes through them. What the store, the database and
the relays take is taken from the same cores. The CPU that all of it took is told beside the wall time. Needs
root (namespaces).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from academy.embedded import EmbeddedMongo
from bench.registry import Result, benchmark
from bench.rounds import Cost, median_cpu, median_wall
from bench.transcode_lecture import lecture
from tests.certificates import make_certificates
from tests.fixtures_storage import running_swift
from tests.journeys.dask_cluster import Cluster
from tests.journeys.installation import Installation
from tests.journeys.networks import Namespace, networks, unavailable
from transcoding import binary

SECONDS: Final = 96.0
"""A job's own costs, which are the same here and there, count as they do in a short lecture."""
ROUNDS: Final = 3
WORKERS: Final = 2
COURSE: Final = "bench"
LOOK_EVERY: Final = 1.0
"""Seconds. Each question is answered by the same cores."""
PATIENCE: Final = 600.0
PLAIN: Final = """
plain:
  sampling: false
  video:
    - {size: 1080, crf: 27, max_rate: 4500000, buffer: 9000000, preset: faster, level: "4.0"}
    - {size: 720, crf: 27, max_rate: 2500000, buffer: 5000000, preset: faster, level: "3.1"}
"""
"""The lecture's ladder, but not sampled: on a busy machine one job would get two passes and the next one one."""


@benchmark("transcode.two_workers", "transcode.two_workers.cpu")
def two_workers() -> Iterable[Result]:
    if reason := unavailable():
        print(f"  not measured: {reason}", file=sys.stderr)
        return
    spent: dict[str, list[Cost]] = {"one process": [], "two workers": []}
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        source = lecture(Path(place), binary.find().path, SECONDS)
        with _installations(Path(place)) as both:
            for number in range(ROUNDS):
                pairs = list(zip(spent, both, strict=True))
                for name, installation in pairs if number % 2 == 0 else reversed(pairs):
                    spent[name].append(_transcoded(installation, source))
    for name, costs in spent.items():
        each = ", ".join(f"{cost.wall:.1f} s ({cost.cpu:.1f} s of CPU)" for cost in costs)
        print(f"  {name}: {each}", file=sys.stderr)
    one, two = (median_wall(costs) for costs in spent.values())
    yield Result.of("transcode.two_workers", two, "s wall", one)
    one, two = (median_cpu(costs) for costs in spent.values())
    yield Result.of("transcode.two_workers.cpu", two, "s CPU", one)


def _transcoded(academy: Installation, source: Path) -> Cost:
    """From the job's creation to its end, by the database's record; the CPU of everything meanwhile."""
    before = _cpu()
    arguments = ["--course", COURSE, "--title", source.stem]
    lecture_id = academy.uploaded(academy.run("upload", str(source), *arguments))
    end = time.monotonic() + PATIENCE
    while academy.recording(lecture_id)["state"] in {"queued", "running"}:
        if time.monotonic() > end:
            raise TimeoutError(academy.log())
        time.sleep(LOOK_EVERY)
    recording = academy.recording(lecture_id)
    if recording["state"] != "succeeded":
        raise RuntimeError(f"{recording}\n{academy.log()}")
    jobs = academy.client.get("/v1/admin/jobs").raise_for_status().json()["items"]
    (job,) = [each for each in jobs if each["lecture_id"] == lecture_id]
    created, ended = (datetime.fromisoformat(job[at]) for at in ("created_at", "finished_at"))
    return Cost((ended - created).total_seconds(), _cpu() - before)


def _cpu() -> float:
    """Seconds of all that runs below this process, and of what ran there and has ended."""
    total = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


@contextmanager
def _installations(folder: Path) -> Iterator[tuple[Installation, Installation]]:
    """One that encodes in its own process, and one that has two workers elsewhere."""
    with ExitStack() as stack:
        mongo = stack.enter_context(EmbeddedMongo(_made(folder, "mongo")))
        s3 = stack.enter_context(running_swift(_made(folder, "swift")))
        ports = [urlsplit(url).port or 0 for url in (s3.endpoint, mongo.url)]
        nets = stack.enter_context(networks(WORKERS, ports))
        certificates = make_certificates(folder)
        cluster = Cluster(folder, certificates, stack, networks=nets)

        profile = folder / "plain.yaml"
        profile.write_text(PLAIN)

        def started(name: str, **more: str) -> Installation:
            academy = Installation(
                _made(folder, name),
                **s3.environment,
                ACADEMY_STORAGE_URL=f"s3://{s3.new_bucket()}/academy",
                ACADEMY_MONGODB_URL=mongo.url,
                ACADEMY_MONGODB_DATABASE=name,
                ACADEMY_PROFILE=str(profile),
                **more,
            )
            stack.callback(academy.close)
            academy.start().add_course(COURSE)
            return academy

        one = started("one")
        two = started(
            "two",
            ACADEMY_DASK_SCHEDULER=cluster.address,
            ACADEMY_DASK_TLS_CA=str(certificates.ca),
            ACADEMY_DASK_TLS_CERT=str(certificates.certificate),
            ACADEMY_DASK_TLS_KEY=str(certificates.key),
        )
        for place in nets.places:
            cluster.add_worker(_elsewhere(two.env, folder, place), place)
        yield one, two
        told = cluster.log.read_text(errors="replace")
        unseen = [each.address for each in nets.places if f"tls://{each.address}:" not in told]
        if unseen:
            raise RuntimeError(f"No worker came from {unseen}:\n{told[-4000:]}")


def _elsewhere(env: dict[str, str], folder: Path, place: Namespace) -> dict[str, str]:
    """Another machine's: of the installation's own folder it knows nothing."""
    home = str(_made(folder, place.name))
    return {**env, "ACADEMY_DATA_DIR": f"{home}/data", "HOME": home, "TMPDIR": home}


def _made(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
