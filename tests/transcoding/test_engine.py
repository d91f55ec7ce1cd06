from __future__ import annotations

import asyncio
import copy
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from dask import config as dask_config

from academy.errors import Invalid, SettingsError
from academy.settings import Settings
from academy.tallies import STORAGE_ERRORS
from tests.transcoding import engine_tasks
from tests.transcoding.small_plan import CHUNKS, INSPECTION, PLAN
from transcoding import cluster
from transcoding.announcements import Event
from transcoding.engine import Engine, EngineLost, external, open_engine
from transcoding.tasks import Task, TaskKind

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Engine]:
    async with open_engine(workers=2) as made:
        yield made


async def until(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110 - a task in another thread or process makes it
        await asyncio.sleep(0.02)


async def test_the_local_cluster_runs_tasks_on_every_slot(engine: Engine) -> None:
    assert engine.local
    assert await engine.slots() == 2
    result = await engine.run(
        engine_tasks.double, {"value": 21}, key=("video-a", 0, 1, 0), priority=0
    )
    assert result == {"value": 42}


async def test_the_local_cluster_listens_on_no_port() -> None:
    before = listening_here()
    async with open_engine(workers=2) as engine:
        assert await engine.slots() == 2
        assert listening_here() <= before


def listening_here() -> set[str]:
    """Inodes of this process's listening sockets."""
    inodes = {
        link.removeprefix("socket:[").removesuffix("]")
        for link in map(read_link, Path("/proc/self/fd").iterdir())
        if link.startswith("socket:[")
    }
    listening = {
        line.split()[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    return inodes & listening


def read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_dasks_other_settings_stay_as_they_are_and_ours_end_with_the_engine() -> None:
    before = copy.deepcopy(dask_config.config)
    with cluster.quiet():
        assert dask_config.get("distributed.worker.profile.enabled") is False
        assert dask_config.get("distributed.scheduler.allowed-failures") == 20
        tcp = "distributed.comm.timeouts.tcp"
        assert dask_config.get(tcp) == before["distributed"]["comm"]["timeouts"]["tcp"]
    assert dask_config.config == before


async def test_what_a_task_raises_comes_back_as_it_was(engine: Engine) -> None:
    with pytest.raises(Invalid, match="no such luck") as raised:
        await engine.run(
            engine_tasks.invalid, {"message": "no such luck"}, key=("video-b", 0, 1, 0), priority=0
        )
    assert raised.value.code == "told"


async def test_events_reach_who_listens_for_the_media(engine: Engine) -> None:
    heard: asyncio.Queue[Event] = asyncio.Queue()
    stop = engine.listen("media", heard.put_nowait)
    await engine.run(engine_tasks.tell, {"media_id": "media"}, key=("video-c", 0, 1, 0), priority=0)
    await engine.run(engine_tasks.tell, {"media_id": "other"}, key=("video-d", 0, 1, 0), priority=0)
    event = await heard.get()
    stop()
    await engine.run(engine_tasks.tell, {"media_id": "media"}, key=("video-e", 0, 1, 0), priority=0)
    await engine.slots()
    assert (event.kind, event.chunk, event.segments) == (TaskKind.VIDEO, 7, 3)
    assert heard.empty()


async def test_a_cancelled_coroutine_ends_its_task(engine: Engine, tmp_path: Path) -> None:
    running = asyncio.create_task(
        engine.run(
            engine_tasks.until_unwanted,
            {"folder": str(tmp_path)},
            key=("video-f", 0, 1, 0),
            priority=0,
        )
    )
    await until(tmp_path / "began")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(tmp_path / "ended")


async def test_urgent_tasks_overtake(tmp_path: Path) -> None:
    file = tmp_path / "order"
    async with open_engine(workers=1) as single:
        names = ["first", "late", "later", "urgent"]
        await asyncio.gather(
            *(
                single.run(
                    engine_tasks.order,
                    {"file": str(file), "name": name},
                    key=(f"video-{name}", 0, 1, 0),
                    priority=0 if name in {"first", "urgent"} else -3,
                )
                for name in names
            )
        )
    done = file.read_text().split()
    assert done.index("urgent") < done.index("later")
    assert sorted(done) == sorted(names)


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Dask process, killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scheduler(port: int) -> Iterator[subprocess.Popen[bytes]]:
    with dask(
        *("dask_scheduler", "--host", "127.0.0.1", "--port", str(port)),
        *("--dashboard-address", "127.0.0.1:0", "--no-show"),
    ) as process:
        yield process


@contextmanager
def worker(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """With a nanny, which starts another when it is killed."""
    with dask(
        *("dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--resources", "encoder=1"),
        *("--no-dashboard", "--host", "127.0.0.1", "--memory-limit", "0", "--death-timeout", "60"),
    ) as process:
        yield process


@asynccontextmanager
async def engine_at(port: int) -> AsyncIterator[Engine]:
    made = external(Settings(dask_scheduler=f"tcp://127.0.0.1:{port}"))
    try:
        while True:
            try:
                await made.slots()
            except EngineLost:
                await asyncio.sleep(0.1)
            else:
                break
        yield made
    finally:
        await made.close()


@pytest.mark.journey
async def test_a_killed_workers_task_moves_and_a_dead_scheduler_is_noticed(tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "deaths"
    folder.mkdir()
    with scheduler(port) as boss, worker(port):
        async with engine_at(port) as engine:
            assert not engine.local
            result = await engine.run(
                engine_tasks.die_unless_last,
                {"folder": str(folder), "deaths": 1},
                key=("video-g", 0, 1, 0),
                priority=0,
            )
            assert result == {"deaths": 1}
            await _counts_what_a_worker_was_refused(engine)
            waiting = asyncio.create_task(
                engine.run(
                    engine_tasks.until_unwanted,
                    {"folder": str(tmp_path)},
                    key=("video-h", 0, 1, 0),
                    priority=0,
                )
            )
            await until(tmp_path / "began")
            boss.kill()
            with pytest.raises(EngineLost):
                await waiting
            await until(tmp_path / "ended")
            # A new one at the same address is found again.
            boss.wait()
            with scheduler(port), worker(port):
                while True:
                    try:
                        answer = await engine.run(
                            engine_tasks.double, {"value": 1}, key=("video-i", 0, 1, 0), priority=0
                        )
                    except EngineLost:
                        await asyncio.sleep(0.1)
                    else:
                        break
                assert answer == {"value": 2}


async def _counts_what_a_worker_was_refused(engine: Engine) -> None:
    """In the process that waits for the task: the worker itself serves no metrics."""
    task = Task(
        kind=TaskKind.VIDEO,
        media_id="m",
        workspace={},
        source_key="source",
        plan=PLAN,
        inspection=INSPECTION,
        chunk=CHUNKS[0],
        attempt=1,
    ).model_dump(mode="json")
    heard = asyncio.Event()
    before = STORAGE_ERRORS.read().get("unreachable", 0)
    stop = engine.listen("m", lambda event: heard.set() if event.storage_errors else None)
    result = await engine.run(
        engine_tasks.without_storage, task, key=("video-m", 0, 1, 0), priority=0
    )
    assert result["failure"] == "transient"
    await heard.wait()
    stop()
    assert STORAGE_ERRORS.read()["unreachable"] == before + 1


def settings(**values: object) -> Settings:
    return Settings.load(**values)


def test_plain_text_beyond_this_machine_is_refused() -> None:
    with pytest.raises(SettingsError, match="whoever reaches it can run code here"):
        external(settings(dask_scheduler="tcp://10.0.0.7:8786"))
    with pytest.raises(SettingsError, match="ACADEMY_DASK_SCHEDULER"):
        external(settings(dask_scheduler="tcp://scheduler:8786"))


def test_plain_text_is_allowed_at_home_or_where_asked_for() -> None:
    for address in ("tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"):
        assert not external(settings(dask_scheduler=address)).local
    allowed = settings(dask_scheduler="tcp://scheduler:8786", dask_allow_plaintext=True)
    assert not external(allowed).local


def test_tls_needs_all_three_files(tmp_path: Path) -> None:
    address = "tls://scheduler:8786"
    with pytest.raises(SettingsError, match="ACADEMY_DASK_TLS_CA is not set"):
        external(settings(dask_scheduler=address))
    ca = tmp_path / "ca.pem"
    ca.write_text("x")
    missing = tmp_path / "cert.pem"
    with pytest.raises(SettingsError, match=r"ACADEMY_DASK_TLS_CERT: there is no file .*cert\.pem"):
        external(
            settings(dask_scheduler=address, dask_tls_ca=ca, dask_tls_cert=missing, dask_tls_key=ca)
        )
