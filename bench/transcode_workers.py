"""Two Dask workers in network namespaces of their own against two encoders in the transcoder's process.

Two installations with the same S3 server and the same MongoDB get the same lecture in turn, uploaded as people do;
what counts is the time from the job's creation to its end. The first encodes in its own process. The second knows a
Dask scheduler (TLS) whose two workers have addresses of their own and reach nothing else of this machine but
the store and the database: all that they read and write goes through them. What the store, the database and
the relays take is taken from the same cores. Needs root (namespaces).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from academy.embedded import EmbeddedMongo
from bench.registry import Result, benchmark
from bench.transcode_lecture import lecture
from tests.certificates import make_certificates
from tests.fixtures_storage import running_swift
from tests.journeys.dask_cluster import Cluster
from tests.journeys.installation import Installation
from tests.journeys.networks import Namespace, namespaces, unavailable
from transcoding import binary

SECONDS: Final = 32.0
ROUNDS: Final = 3
WORKERS: Final = 2
COURSE: Final = "bench"


@benchmark("transcode.two_workers")
def two_workers() -> Iterable[Result]:
    if reason := unavailable():
        print(f"  not measured: {reason}", file=sys.stderr)
        return
    spent: dict[str, list[float]] = {"one process": [], "two workers": []}
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        source = lecture(Path(place), binary.find().path, SECONDS)
        with _installations(Path(place)) as both:
            for number in range(ROUNDS):
                pairs = list(zip(spent, both, strict=True))
                for name, installation in pairs if number % 2 == 0 else reversed(pairs):
                    spent[name].append(_transcoded(installation, source))
    for name, walls in spent.items():
        print(f"  {name}: {', '.join(f'{wall:.1f}' for wall in walls)} s", file=sys.stderr)
    one, two = (statistics.median(walls) for walls in spent.values())
    yield Result.of("transcode.two_workers", two, "s wall", one)


def _transcoded(academy: Installation, source: Path) -> float:
    """Seconds from the job's creation to its end, by the database's record."""
    arguments = ["--course", COURSE, "--title", source.stem]
    lecture_id = academy.uploaded(academy.run("upload", str(source), *arguments))
    academy.settled(lecture_id, "succeeded")
    later = [each["code"] for each in academy.recording(lecture_id)["inspection"]["explanation"]]
    if "second_pass" in later:
        print("  (with a second pass)", file=sys.stderr)
    jobs = academy.client.get("/v1/admin/jobs").raise_for_status().json()["items"]
    (job,) = [each for each in jobs if each["lecture_id"] == lecture_id]
    created, ended = (datetime.fromisoformat(job[at]) for at in ("created_at", "finished_at"))
    return (ended - created).total_seconds()


@contextmanager
def _installations(folder: Path) -> Iterator[tuple[Installation, Installation]]:
    """One that encodes in its own process, and one that has two workers elsewhere."""
    with ExitStack() as stack:
        mongo = stack.enter_context(EmbeddedMongo(_made(folder, "mongo")))
        s3 = stack.enter_context(running_swift(_made(folder, "swift")))
        ports = [urlsplit(url).port or 0 for url in (s3.endpoint, mongo.url)]
        places = stack.enter_context(namespaces(WORKERS, ports))
        certificates = make_certificates(folder)
        cluster = Cluster(folder, certificates, stack, host=places[0].gateway)

        def started(name: str, **more: str) -> Installation:
            academy = Installation(
                _made(folder, name),
                **s3.environment,
                ACADEMY_STORAGE_URL=f"s3://{s3.new_bucket()}/academy",
                ACADEMY_MONGODB_URL=mongo.url,
                ACADEMY_MONGODB_DATABASE=name,
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
        for place in places:
            env = _elsewhere(two.env, folder, place)
            cluster.add_worker(env, host=place.address, inside=place.inside)
        yield one, two
        told = cluster.log.read_text(errors="replace")
        if missing := [place.address for place in places if f"tls://{place.address}:" not in told]:
            raise RuntimeError(f"No worker came from {missing}:\n{told[-4000:]}")


def _elsewhere(env: dict[str, str], folder: Path, place: Namespace) -> dict[str, str]:
    """Another machine's: of the installation's own folder it knows nothing."""
    home = str(_made(folder, place.name))
    return {**env, "ACADEMY_DATA_DIR": f"{home}/data", "HOME": home, "TMPDIR": home}


def _made(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
