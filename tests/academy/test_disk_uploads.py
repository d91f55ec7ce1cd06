"""Uploads in parts to a disk storage: what is seen, what is copied, what a crash leaves behind."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from academy.errors import Invalid, ObjectNotFound, TooLarge
from academy.storage.disk import DiskStorage
from academy.uploads import SMALLEST_PART, Part
from tests.academy.disk_contents import KEY, body_of, leftovers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def storage(root: Path) -> DiskStorage:
    return DiskStorage(root)


def send(storage: DiskStorage, key: str, upload_id: str, number: int, body: bytes) -> Part:
    with storage.receive_part(key, upload_id, number) as incoming:
        incoming.write(body)
        return incoming.commit()


def test_nothing_of_a_part_is_seen_before_it_is_whole(storage: DiskStorage):
    upload_id = storage.start(KEY, content_type="video/mp4")
    send(storage, KEY, upload_id, 1, b"first")

    def break_off() -> None:
        with storage.receive_part(KEY, upload_id, 1) as incoming:
            incoming.write(b"sec")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        break_off()
    assert [part.size for part in storage.parts(KEY, upload_id)] == [5]
    assert leftovers(storage.root) == []
    storage.complete(KEY, upload_id, storage.parts(KEY, upload_id))
    assert body_of(storage) == b"first"


def test_a_part_that_is_not_as_announced_is_refused(storage: DiskStorage):
    upload_id = storage.start(KEY, content_type="video/mp4")
    with storage.receive_part(KEY, upload_id, 1, size=5) as incoming:
        incoming.write(b"four")
        with pytest.raises(Invalid, match="5 bytes, but 4 arrived"):
            incoming.commit()
        with pytest.raises(TooLarge):
            incoming.write(b"more")
    with storage.receive_part(KEY, upload_id, 1, md5="1B2M2Y8AsgTpgAmY7PhCfg==") as incoming:
        incoming.write(b"not nothing")
        with pytest.raises(Invalid, match="another MD5"):
            incoming.commit()
    for number, md5 in ((0, None), (10_001, None), (1, "bm9uZQ=="), (1, "?")):
        with pytest.raises(Invalid), storage.receive_part(KEY, upload_id, number, md5=md5):
            pass
    assert storage.parts(KEY, upload_id) == []
    assert leftovers(storage.root) == []


def test_an_upload_that_ends_while_a_part_arrives_takes_it_no_more(storage: DiskStorage):
    upload_id = storage.start(KEY, content_type="video/mp4")
    with storage.receive_part(KEY, upload_id, 1) as incoming:
        incoming.write(b"first")
        storage.abort(KEY, upload_id)
        with pytest.raises(ObjectNotFound):
            incoming.commit()


def test_the_same_part_sent_by_many_at_once_arrives_once(storage: DiskStorage):
    upload_id = storage.start(KEY, content_type="video/mp4")
    bodies = [bytes([number]) * 100 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda body: send(storage, KEY, upload_id, 1, body), bodies))
    [part] = storage.parts(KEY, upload_id)
    assert part in sent
    storage.complete(KEY, upload_id, [part])
    assert body_of(storage) in bodies


def test_an_upload_of_one_part_is_not_copied(storage: DiskStorage):
    upload_id = storage.start(KEY, content_type="video/mp4")
    part = send(storage, KEY, upload_id, 1, b"body")
    [file] = storage.root.glob(f".store/uploads/{upload_id}/00001-*")
    inode = file.stat().st_ino
    storage.complete(KEY, upload_id, [part])
    assert storage.path(KEY).stat().st_ino == inode


@pytest.mark.parametrize("number", ["EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP"])
def test_assembly_also_works_where_the_kernel_cannot_copy(
    storage: DiskStorage, monkeypatch: pytest.MonkeyPatch, number: str
):
    def refuse(*_: object) -> int:
        raise OSError(getattr(__import__("errno"), number), "not here")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    bodies = [secrets.token_bytes(SMALLEST_PART + 3), b"end"]
    upload_id = storage.start(KEY, content_type="video/mp4")
    parts = [send(storage, KEY, upload_id, n, body) for n, body in enumerate(bodies, 1)]
    storage.complete(KEY, upload_id, parts)
    assert body_of(storage) == b"".join(bodies)


DIE_WHILE_COMPLETING = """
import os, sys
from pathlib import Path
from academy.storage import disk, durable, staging
from academy.storage.disk import DiskStorage

root, key, upload_id, step = sys.argv[1:]
storage = DiskStorage(Path(root))

def die(*_, **__):
    os.kill(os.getpid(), 9)

def after(function):
    def wrapped(*args, **options):
        function(*args, **options)
        die()
    return wrapped

if step == "first part appended":
    staging.append = after(staging.append)
elif step == "all parts appended":
    staging.flush = die
elif step == "headers announced":
    disk.sidecar.announce = after(disk.sidecar.announce)
elif step == "object in place":
    disk.flush_folder = die
elif step == "upload renamed":
    staging.shutil.rmtree = die
storage.complete(key, upload_id, storage.parts(key, upload_id))
"""


@pytest.mark.parametrize(
    "step",
    [
        "first part appended",
        "all parts appended",
        "headers announced",
        "object in place",
        "upload renamed",
    ],
)
def test_a_completion_killed_at_any_step_can_be_repeated(storage: DiskStorage, step: str):
    storage.put(KEY, b"old", content_type="text/plain")
    bodies = [secrets.token_bytes(SMALLEST_PART), secrets.token_bytes(SMALLEST_PART), b"end"]
    upload_id = storage.start(KEY, content_type="video/mp4")
    parts = [send(storage, KEY, upload_id, n, body) for n, body in enumerate(bodies, 1)]
    done = subprocess.run(
        [sys.executable, "-c", DIE_WHILE_COMPLETING, str(storage.root), KEY, upload_id, step],
        timeout=60,
        check=False,
    )
    assert done.returncode == -9
    again = DiskStorage(storage.root)
    assert body_of(again) in {b"old", b"".join(bodies)}
    try:
        assert list(again.parts(KEY, upload_id)) == parts
        again.complete(KEY, upload_id, parts)
    except ObjectNotFound:
        assert step == "upload renamed"
    assert body_of(again) == b"".join(bodies)
    assert again.stat(KEY).content_type == "video/mp4"


def test_what_a_crash_left_behind_is_removed_after_a_day(storage: DiskStorage):
    own = storage.root / ".store"
    yesterday = time.time() - 25 * 3600
    (own / "incoming/.in-old").write_bytes(b"half")
    (own / "incoming/.in-new").write_bytes(b"half")
    (own / "uploads/.old-upload").mkdir()
    (own / "trash/prefix").mkdir()
    os.utime(own / "incoming/.in-old", (yesterday, yesterday))
    os.utime(own / "uploads/.old-upload", (yesterday, yesterday))
    living = storage.start(KEY, content_type="video/mp4")
    os.utime(own / "uploads" / living, (yesterday, yesterday))
    DiskStorage(storage.root)
    assert [path.name for path in (own / "incoming").iterdir()] == [".in-new"]
    assert list((own / "trash").iterdir()) == []
    assert [path.name for path in (own / "uploads").iterdir()] == [living]
