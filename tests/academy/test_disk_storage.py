"""What only the disk backend promises: restarts, crashes, other processes, files that ffmpeg can open."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from academy.errors import Conflict, Forbidden, Invalid, ObjectNotFound, SettingsError, TooLarge
from academy.keys import KeyRing
from academy.settings import Settings
from academy.storage import open_storage, sidecar
from academy.storage.disk import DiskStorage
from academy.storage.links import DiskLinks, bucket_end
from academy.storage.s3 import S3Storage
from academy.stores import LocalFiles
from academy.uploads import SMALLEST_PART, Part

KEY = "media/x/v720/0-1.m4s"


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


def body_of(storage: DiskStorage, key: str = KEY) -> bytes:
    return b"".join(storage.read(key))


def leftovers(root: Path) -> list[Path]:
    """Half-written files, wherever they are."""
    return list(root.rglob(".in-*"))


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


def test_without_a_key_nothing_is_signed(storage: DiskStorage):
    storage.put(KEY, b"body", content_type="video/mp4")
    upload_id = storage.start(KEY, content_type="video/mp4")
    with pytest.raises(SettingsError):
        storage.signed_url(KEY, expires_in=60)
    with pytest.raises(SettingsError):
        storage.sign_part(KEY, upload_id, 1, expires_in=60)


def signed(links: DiskLinks, key: str, expires_in: int) -> tuple[int, str]:
    url = links.object_url(key, expires_in=expires_in)
    query = dict(pair.split("=") for pair in url.split("?")[1].split("&"))
    return int(query["expires"]), query["signature"]


def test_links_last_as_long_as_asked_and_at_most_a_quarter_of_an_hour_more():
    links = DiskLinks(KeyRing("s" * 32), "https://academy.example/")
    for expires_in in (0, 1, 899, 900, 901, 3600, 86_400):
        before = time.time()
        expires, _ = signed(links, KEY, expires_in)
        assert before + expires_in < expires <= time.time() + expires_in + 900


def test_links_made_within_a_quarter_of_an_hour_are_equal():
    begin = 900 * 2_000_000
    for expires_in in (0, 60, 900, 3600):
        ends = {bucket_end(begin + second, expires_in) for second in range(0, 900, 7)}
        assert len(ends) <= 2
    assert {bucket_end(begin + second, 3600) for second in (0, 450.5, 899.9)} == {begin + 4500}


def test_an_expired_link_is_refused_and_says_so():
    links = DiskLinks(KeyRing("s" * 32), "https://academy.example")
    expires, signature = signed(links, KEY, -1000)
    with pytest.raises(Forbidden) as caught:
        links.check_object(KEY, expires=expires, signature=signature)
    assert caught.value.code == "expired_link"
    with pytest.raises(Forbidden) as caught:
        links.check_object(KEY, expires=expires + 9000, signature=signature)
    assert caught.value.code == "bad_signature"


def test_links_signed_before_the_secret_was_changed_still_work():
    old = DiskLinks(KeyRing("o" * 32), "https://academy.example")
    new = DiskLinks(KeyRing("n" * 32, "o" * 32), "https://academy.example")
    expires, signature = signed(old, KEY, 60)
    new.check_object(KEY, expires=expires, signature=signature)
    expires, signature = signed(new, KEY, 60)
    with pytest.raises(Forbidden):
        old.check_object(KEY, expires=expires, signature=signature)


def test_settings_choose_the_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    folder = tmp_path / "with space"
    disk = open_storage(
        Settings(storage_url=folder.as_uri(), public_url="https://academy.example"),
        KeyRing("s" * 32),
    )
    assert isinstance(disk, DiskStorage)
    assert disk.root == folder
    assert disk.signed_url("a/b", expires_in=1).startswith(
        "https://academy.example/v1/storage/objects/a/b?expires="
    )
    s3 = open_storage(Settings(storage_url="s3://lectures/deep/prefix"), None)
    assert isinstance(s3, S3Storage)
    assert (s3.bucket, s3.prefix) == ("lectures", "deep/prefix/")
    with pytest.raises(SettingsError, match="ACADEMY_STORAGE_URL"):
        open_storage(Settings(storage_url=None), None)
