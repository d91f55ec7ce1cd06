"""The same path over S3 storage, an external MongoDB and Dask workers that are processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from tests.certificates import make_certificates
from tests.collector import Collector, collecting
from tests.fixtures_footage import Footage
from tests.fixtures_storage import S3Server
from tests.journeys.conftest import Installing
from tests.journeys.dask_cluster import Cluster
from tests.journeys.decoding import decode
from tests.journeys.installation import wait_until
from tests.journeys.networks import Namespace, networks, unavailable

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as built:
        yield built


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, make_certificates(tmp_path), stack)


@pytest.mark.slow
def test_remote_workers_over_tls_and_s3_make_a_lecture_though_one_is_killed(
    install: Installing,
    cluster: Cluster,
    s3_server: S3Server,
    mongo_url: str,
    database_name: str,
    footage: Footage,
    collector: Collector,
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
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="200",
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
    assert_one_trace(collector)


def assert_one_trace(collector: Collector) -> None:
    """From the request that completed the upload to the storage calls of each worker."""
    spans = collector.until(lambda seen: any(each.name == "job" for each in seen))
    (root,) = [each for each in spans if each.name == "POST /v1/uploads/{upload_id}/complete"]
    trace = {each.id: each for each in spans if each.trace == root.trace}
    path = {(trace[each.parent].name, each.name) for each in trace.values() if each.parent in trace}
    # The killed worker told of storage calls, but no more of the chunk they belonged to.
    lost = {each for each in trace if trace[each].parent not in {"", *trace}}
    assert {trace[each].service for each in lost} <= {"academy-worker"}
    assert [each.name for each in trace.values() if not each.parent] == [root.name]
    assert {
        (root.name, "job"),
        ("job", "inspect"),
        ("job", "plan"),
        ("job", "encode"),
        ("job", "publish"),
        ("encode", "encode video"),
        ("encode", "encode audio"),
        ("encode video", "storage put"),
        ("publish", "storage put"),
        (root.name, "storage complete"),
    } <= path
    services = {each.service for each in trace.values()}
    assert services == {"academy-api", "academy-transcoder", "academy-worker"}
    assert root.attributes["http.response.status_code"] == 202
    # Nothing that opens a draft: no addresses, tokens or signatures.
    told = " ".join(str(value) for each in spans for value in each.attributes.values())
    assert "://" not in told
    assert "X-Amz" not in told


@pytest.mark.slow
def test_workers_with_networks_of_their_own_make_a_lecture(
    install: Installing,
    s3_server: S3Server,
    mongo_url: str,
    database_name: str,
    footage: Footage,
    tmp_path: Path,
) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with ExitStack() as stack:
        shared = [httpx.URL(s3_server.endpoint).port or 0, mongo_port(mongo_url)]
        nets = stack.enter_context(networks(2, shared))
        cluster = Cluster(tmp_path, make_certificates(tmp_path), stack, networks=nets)
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
        academy.add_course("networks")
        workers = [
            cluster.add_worker(worker_environment(academy.env, tmp_path, place), place)
            for place in nets.places
        ]
        recording = footage("lecture", duration=24)
        arguments = ["--course", "networks", "--title", "Farther", "--publish"]
        lecture_id = academy.uploaded(academy.run("upload", str(recording), *arguments))
        academy.settled(lecture_id, "succeeded")
        assert decode(academy.lecture(lecture_id)["playback"]["hls"]).frames == 720
        # Both took part, each over its own address.
        log = cluster.log.read_text(errors="replace")
        assert all(f"tls://{place.address}:" in log for place in nets.places), log[-4000:]
        assert all(worker.poll() is None for worker in workers), log[-4000:]
        # Nothing of the dispatcher's disk: the workers' own data directories hold no media.
        assert not academy.segments()


def worker_environment(env: dict[str, str], folder: Path, place: Namespace) -> dict[str, str]:
    """Another machine's: of the installation's own folder it knows nothing."""
    home = folder / place.name
    home.mkdir()
    return {**env, "ACADEMY_DATA_DIR": str(home / "data"), "HOME": str(home), "TMPDIR": str(home)}


def mongo_port(url: str) -> int:
    return int(url.rpartition("@")[2].partition("/")[0].rpartition(":")[2])


def first_segment(manifest: str) -> httpx.Response:
    """The API's answer for the first segment of the first rendition."""
    text = httpx.get(manifest).text
    media = next(line for line in text.splitlines() if line and not line.startswith("#"))
    playlist = httpx.URL(manifest).join(media)
    name = next(
        line for line in httpx.get(playlist).text.splitlines() if line and not line.startswith("#")
    )
    return httpx.get(playlist.join(name))
