"""The embedded mongod: what it survives and what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from academy.embedded import EmbeddedMongo, find_mongod, home, replica_set
from academy.errors import Conflict, SettingsError, Unavailable

pytestmark = pytest.mark.real


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """Killed afterwards, which is quicker than stopping."""
    started = EmbeddedMongo(tmp_path)
    yield started
    if started._guardian is not None:
        kill_both(started, tmp_path)
        started.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedMongo, Path]]:
    """For tests that leave it as it is."""
    data_dir = tmp_path_factory.mktemp("running")
    with EmbeddedMongo(data_dir) as started:
        yield started, data_dir


def kill_both(mongo: EmbeddedMongo, data_dir: Path) -> None:
    assert mongo._guardian is not None
    mongo._guardian.kill()
    mongo._guardian.wait()
    pid = pid_of(data_dir)
    if runs(pid):
        os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)


def pid_of(data_dir: Path) -> int:
    return int((data_dir / "mongodb" / "lock").read_text().split()[1])


def runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pid: int) -> None:
    while runs(pid):
        time.sleep(0.02)


def write(url: str, value: str) -> None:
    with MongoClient[dict[str, str]](url) as client:
        client.kept.values.insert_one({"_id": value})


def read(url: str) -> list[str]:
    with MongoClient[dict[str, str]](url) as client:
        return sorted(document["_id"] for document in client.kept.values.find())


def test_a_restart_keeps_the_data_and_the_address(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    url = mongo.start()
    assert mongo.start() == url == mongo.url
    write(url, "first")
    pid = pid_of(tmp_path)
    mongo.stop()
    assert not runs(pid)
    with pytest.raises(Unavailable):
        _ = mongo.url
    assert mongo.start() == url
    assert read(url) == ["first"]


def test_a_taken_port_moves_the_replica_set(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    before = mongo.start()
    write(before, "kept")
    mongo.stop()
    port = int((tmp_path / "mongodb" / "port").read_text())
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", port))
        after = mongo.start()
    assert after != before
    write(after, "more")
    assert read(after) == ["kept", "more"]


def test_acknowledged_writes_survive_a_killed_mongod(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    url = mongo.start()
    write(url, "acknowledged")
    pid = pid_of(tmp_path)
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    # The guardian starts it again, at the same address.
    assert read(url) == ["acknowledged"]
    assert pid_of(tmp_path) != pid


def test_data_survive_when_mongod_and_guardian_are_killed(
    mongo: EmbeddedMongo, tmp_path: Path
) -> None:
    write(mongo.start(), "kept")
    kill_both(mongo, tmp_path)
    mongo.stop()
    assert read(mongo.start()) == ["kept"]


def parent_of_a_mongod(data_dir: Path) -> subprocess.Popen[str]:
    code = (
        "import sys, time, threading, pathlib\n"
        "from academy.embedded import EmbeddedMongo\n"
        "mongo = EmbeddedMongo(pathlib.Path(sys.argv[1]))\n"
        # In a thread that ends, as services do: mongod must outlive the thread.
        "starter = threading.Thread(target=mongo.start)\n"
        "starter.start(); starter.join()\n"
        "print(mongo.url, flush=True)\n"
        "time.sleep(600)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(data_dir)], stdout=subprocess.PIPE, text=True
    )


def test_mongod_ends_with_a_killed_parent_and_leaves_the_data(
    mongo: EmbeddedMongo, tmp_path: Path
) -> None:
    with parent_of_a_mongod(tmp_path) as parent:
        assert parent.stdout is not None
        write(parent.stdout.readline().strip(), "kept")
        pid = pid_of(tmp_path)
        parent.kill()
    assert read(mongo.start()) == ["kept"]  # waits for the old one to end
    assert not runs(pid)


def test_a_killed_guardian_takes_mongod_with_it(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    mongo.start()
    assert mongo._guardian is not None
    mongo._guardian.kill()
    wait_for_end(pid_of(tmp_path))


def test_ctrl_c_does_not_reach_mongod_before_its_parent_stops_it(
    running: tuple[EmbeddedMongo, Path],
) -> None:
    mongo, _ = running
    assert mongo._guardian is not None
    assert os.getsid(mongo._guardian.pid) != os.getsid(0)


def test_a_second_start_on_the_same_directory_says_who_is_there(
    running: tuple[EmbeddedMongo, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo, data_dir = running
    monkeypatch.setattr(home, "LOCK_SECONDS", 0.2)
    with pytest.raises(Conflict, match=rf"process id is {pid_of(data_dir)}.*ACADEMY_DATA_DIR"):
        EmbeddedMongo(data_dir).start()
    write(mongo.url, "undisturbed")


def test_nothing_is_read_without_the_password(running: tuple[EmbeddedMongo, Path]) -> None:
    mongo, data_dir = running
    url = mongo.url
    with (
        MongoClient[dict[str, str]]("mongodb://" + url.partition("@")[2]) as stranger,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        stranger.kept.values.find_one()
    folder = data_dir / "mongodb"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("keyfile", "password", "lock"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with MongoClient[dict[str, str]](url) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]
    assert options["bindIp"] == "127.0.0.1"


@pytest.mark.slow
def test_an_interrupted_first_start_is_finished_by_the_next(
    mongo: EmbeddedMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # After the replica set was initiated, before there is a user.
        patch.setattr(replica_set, "wait_for_primary", killed)
        with pytest.raises(KeyboardInterrupt):
            mongo.start()
    write(mongo.start(), "fine")


@pytest.mark.slow
def test_a_foreign_password_file_is_named(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    mongo.start()
    mongo.stop()
    (tmp_path / "mongodb" / "password").write_text("another")
    with pytest.raises(SettingsError, match=r"password.*does not open the database"):
        mongo.start()


def test_a_data_directory_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    with pytest.raises(SettingsError, match="ACADEMY_DATA_DIR"):
        EmbeddedMongo(occupied).start()


@pytest.mark.slow
def test_damaged_data_fail_with_mongods_last_words(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    mongo.start()
    mongo.stop()
    (tmp_path / "mongodb" / "data" / "WiredTiger.wt").write_bytes(b"damaged")
    with pytest.raises(Unavailable, match=r"(?s)mongod did not start.*WiredTiger"):
        mongo.start()


def test_without_any_mongod_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in [name for name in sys.modules if name.split(".")[0] == "fiftyone"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SettingsError, match=r"install MongoDB.*ACADEMY_MONGODB_URL"):
        EmbeddedMongo(tmp_path).start()


def test_a_missing_system_library_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text(
        "#!/bin/sh\n"
        "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open' >&2\n"
        "exit 127\n"
    )
    binary.chmod(0o755)
    with pytest.raises(SettingsError, match=r"libcurl.so.4.*apt-get install libcurl4"):
        EmbeddedMongo(tmp_path / "data", mongod=binary).start()


def a_mongod_that_says(folder: Path, version: str) -> Path:
    binary = folder / "mongod"
    binary.write_text(f"#!/bin/sh\necho 'db version v{version}'\n")
    binary.chmod(0o755)
    return binary


def test_a_mongod_on_the_path_is_taken_if_it_is_recent_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    old = a_mongod_that_says(tmp_path, "5.0.31")
    assert find_mongod() != old
    recent = a_mongod_that_says(tmp_path, "8.0.4")
    assert find_mongod() == recent


def test_data_stay_with_the_mongod_that_made_them(
    running: tuple[EmbeddedMongo, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, data_dir = running
    used = home.Home(data_dir / "mongodb").binary()
    assert used == find_mongod()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    newer = a_mongod_that_says(tmp_path, "99.0.0")
    assert find_mongod() == newer
    assert home.Home(data_dir / "mongodb").binary() == used
