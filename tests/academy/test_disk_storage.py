"""What only the disk backend promises: restarts, crashes, other processes, files that ffmpeg can open."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from academy.errors import Conflict, ObjectNotFound, Unavailable
from academy.object_stores import LocalFiles
from academy.storage import sidecar
from academy.storage.disk import DiskStorage
from academy.tallies import STORAGE_ERRORS
from tests.academy.disk_contents import KEY, body_of, leftovers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def storage(root: Path) -> DiskStorage:
    return DiskStorage(root)


def test_objects_and_headers_survive_a_restart(root: Path):
    DiskStorage(root).put(KEY, b"body", content_type="video/mp4", cache_control="no-cache")
    before = DiskStorage(root).stat(KEY)
    after = DiskStorage(root).stat(KEY)
    assert before == after
    assert (after.content_type, after.cache_control) == ("video/mp4", "no-cache")


def test_an_object_is_an_ordinary_file_under_its_key(root: Path, storage: DiskStorage):
    storage.put(KEY, b"body", content_type="video/mp4")
    assert isinstance(storage, LocalFiles)
    assert storage.path(KEY) == root / KEY
    assert storage.path(KEY).read_bytes() == b"body"
    for absent in ("media/x/v720/1-1.m4s", "media/x"):
        with pytest.raises(ObjectNotFound):
            storage.path(absent)


def test_a_file_somebody_copied_in_is_an_object(root: Path, storage: DiskStorage):
    (root / "hand").mkdir()
    (root / "hand/clip.mp4").write_bytes(b"body")
    assert storage.stat("hand/clip.mp4").content_type == "video/mp4"
    assert [info.key for info in storage.list("hand/")] == ["hand/clip.mp4"]
    etag = storage.stat("hand/clip.mp4").etag
    (root / "hand/clip.mp4").write_bytes(b"other body")
    assert storage.stat("hand/clip.mp4").etag != etag


def test_a_damaged_description_costs_the_headers_not_the_bytes(storage: DiskStorage):
    storage.put("media/x/poster", b"body", content_type="video/iso.segment")
    sidecar.path_of(storage.path("media/x/poster")).write_bytes(b"\x00{")
    assert body_of(storage, "media/x/poster") == b"body"
    assert storage.stat("media/x/poster").content_type == "application/octet-stream"


def test_an_object_cannot_be_a_folder_too(storage: DiskStorage):
    storage.put("a/b", b"body", content_type="text/plain")
    for key in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(Conflict):
            storage.put(key, b"other", content_type="text/plain")
    assert body_of(storage, "a/b") == b"body"
    assert leftovers(storage.root) == []


def test_a_source_that_cannot_be_read_changes_nothing(storage: DiskStorage, tmp_path: Path):
    storage.put(KEY, b"body", content_type="video/mp4")
    with pytest.raises(FileNotFoundError):
        storage.put(KEY, tmp_path / "nothing", content_type="text/plain")
    assert body_of(storage) == b"body"
    assert storage.stat(KEY).content_type == "video/mp4"
    assert leftovers(storage.root) == []


def test_a_crash_before_the_bytes_are_replaced_keeps_the_old_headers(
    storage: DiskStorage, tmp_path: Path
):
    storage.put(KEY, b"old", content_type="video/mp4", cache_control="no-cache")
    before = storage.stat(KEY)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"new!")
    # What a put does first; then the power goes.
    sidecar.announce(storage.path(KEY), fresh.stat(), sidecar.Headers("text/plain", None, "0" * 32))
    assert DiskStorage(storage.root).stat(KEY) == before
    storage.put(KEY, b"newer", content_type="text/vtt")
    assert storage.stat(KEY).content_type == "text/vtt"


def test_writers_at_the_same_time_leave_one_of_their_objects_whole(storage: DiskStorage):
    def write(number: int) -> None:
        other = DiskStorage(storage.root)
        for _ in range(10):
            other.put(KEY, bytes([number]) * (number + 1), content_type=f"video/x-{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    body = body_of(storage)
    assert body == bytes([body[0]]) * (body[0] + 1)
    assert storage.stat(KEY).content_type == f"video/x-{body[0]}"
    assert leftovers(storage.root) == []


def test_a_reader_sees_one_version_with_its_own_headers(storage: DiskStorage):
    storage.put(KEY, b"0", content_type="video/x-1")
    over = threading.Event()

    def write() -> None:
        for number in range(150):
            size = number % 7 + 1
            storage.put(KEY, str(size).encode() * size, content_type=f"video/x-{size}")
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        while not over.is_set():
            info = storage.stat(KEY)
            assert info.content_type == f"video/x-{info.size}"
            file, info = storage.open(KEY)
            with file:
                assert info.content_type == f"video/x-{len(file.read())}"
            seen.add(info.size)
    finally:
        writer.join()
    assert seen


def test_putting_into_a_folder_that_is_being_deleted_works(storage: DiskStorage):
    over = threading.Event()

    def delete() -> None:
        while not over.is_set():
            storage.delete_prefix("media/")

    deleter = threading.Thread(target=delete)
    deleter.start()
    try:
        for number in range(60):
            storage.put(f"media/x/{number}", b"body", content_type="text/plain")
    finally:
        over.set()
        deleter.join()
    storage.put("media/x/last", b"body", content_type="text/plain")
    assert "media/x/last" in [info.key for info in storage.list("media/")]
    assert leftovers(storage.root) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Of 4 MiB: a file system of its own, which root may mount."""
    path = tmp_path / "small"
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "academy-test", str(path)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_told_counted_and_leaves_what_was_there(small_disk: Path):
    storage = DiskStorage(small_disk)
    storage.put(KEY, b"old", content_type="text/plain")
    upload = storage.start("recordings/r/source", content_type="video/mp4")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(3 << 20))
    before = STORAGE_ERRORS.read().get("ENOSPC", 0)
    with pytest.raises(Unavailable, match="is full") as refused:
        storage.put(KEY, bytes(2 << 20), content_type="video/mp4")
    assert refused.value.code == "storage_full"
    with (
        pytest.raises(Unavailable, match="is full"),
        storage.receive_part("recordings/r/source", upload, 1) as incoming,
    ):
        incoming.write(bytes(2 << 20))
    assert STORAGE_ERRORS.read()["ENOSPC"] == before + 2
    assert body_of(storage) == b"old"
    assert storage.parts("recordings/r/source", upload) == []
    filler.unlink()
    with storage.receive_part("recordings/r/source", upload, 1) as incoming:
        incoming.write(bytes(2 << 20))
        incoming.commit()
    storage.complete("recordings/r/source", upload, storage.parts("recordings/r/source", upload))
    assert storage.stat("recordings/r/source").size == 2 << 20
