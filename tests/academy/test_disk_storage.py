"""What only the disk backend promises: restarts, crashes, other processes, files that ffmpeg can open."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from academy.errors import Conflict, ObjectNotFound
from academy.object_stores import LocalFiles
from academy.storage import sidecar
from academy.storage.disk import DiskStorage
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


def test_a_full_disk_leaves_the_old_object(storage: DiskStorage, monkeypatch: pytest.MonkeyPatch):
    storage.put(KEY, b"old", content_type="text/plain")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.put(KEY, b"new", content_type="video/mp4")
    monkeypatch.undo()
    assert body_of(storage) == b"old"
    assert leftovers(storage.root) == []
