"""What every object store keeps: disk and S3 below a prefix; where names matter, a whole bucket too."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from academy.errors import Invalid, ObjectNotFound
from academy.object_stores import Storage
from tests.contracts.objects import BODY, KEY, everywhere, keys, put


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@everywhere
def test_what_is_put_is_read_back_with_its_headers(storage: Storage):
    before = datetime.now(UTC) - timedelta(seconds=2)
    put(storage)
    info = storage.stat(KEY)
    assert b"".join(storage.read(KEY)) == BODY
    assert (info.key, info.size) == (KEY, len(BODY))
    assert (info.content_type, info.cache_control) == ("video/mp4", "public, max-age=60")
    assert info.etag.strip('"') == info.etag != ""
    assert before <= info.modified <= datetime.now(UTC) + timedelta(seconds=2)


def test_an_object_without_cache_control_has_none(storage: Storage):
    storage.put(KEY, BODY, content_type="text/vtt; charset=utf-8")
    assert storage.stat(KEY).cache_control is None
    assert storage.stat(KEY).content_type == "text/vtt; charset=utf-8"


def test_a_file_can_be_put(storage: Storage, tmp_path: Path):
    source = tmp_path / "source.mp4"
    source.write_bytes(secrets.token_bytes(3_000_000))
    put(storage, body=source)
    assert b"".join(storage.read(KEY)) == source.read_bytes()


def test_big_objects_are_read_in_pieces(storage: Storage):
    body = secrets.token_bytes(3_000_000)
    put(storage, body=body)
    pieces = list(storage.read(KEY))
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 1024**2


def test_putting_again_replaces_bytes_headers_and_etag(storage: Storage):
    put(storage)
    before = storage.stat(KEY)
    storage.put(KEY, b"other", content_type="text/plain")
    after = storage.stat(KEY)
    assert b"".join(storage.read(KEY)) == b"other"
    assert (after.size, after.content_type, after.cache_control) == (5, "text/plain", None)
    assert after.etag != before.etag


def test_the_same_bytes_have_the_same_etag(storage: Storage):
    put(storage, "a")
    put(storage, "b")
    assert storage.stat("a").etag == storage.stat("b").etag


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (0, 1), (1, 2), (10, 1000), (5000, None), (5119, 5120), (0, 5120), (7, 7)],
)
def test_ranges_are_half_open(storage: Storage, start: int, end: int | None):
    put(storage)
    assert b"".join(storage.read(KEY, start=start, end=end)) == BODY[start:end]


@pytest.mark.parametrize(("start", "end"), [(5120, None), (6000, 7000), (5000, 9000)])
def test_ranges_stop_where_the_object_ends(storage: Storage, start: int, end: int | None):
    put(storage)
    assert b"".join(storage.read(KEY, start=start, end=end)) == BODY[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 4)])
def test_impossible_ranges_are_refused(storage: Storage, start: int, end: int):
    put(storage)
    with pytest.raises(Invalid):
        storage.read(KEY, start=start, end=end)


def test_an_empty_object_is_an_object(storage: Storage, http: httpx.Client):
    put(storage, body=b"")
    assert storage.stat(KEY).size == 0
    assert list(storage.read(KEY)) == []
    assert list(storage.read(KEY, start=0, end=10)) == []
    answer = http.get(storage.signed_url(KEY, expires_in=60))
    assert (answer.status_code, answer.content) == (200, b"")


@everywhere
@pytest.mark.parametrize(
    "key",
    [
        "captions/中文/字幕.vtt",
        "é/e\u0301",
        "with space/and+plus&amp?query#fragment",
        "100%/%2e%2e/~tilde",
        "colon:semi;comma,'quote'/(1)!*@$=",
        "🎓/a.b-c_d",
        "x" * 240,
        "/".join(["y" * 100] * 9),
    ],
)
def test_unusual_keys_are_ordinary(storage: Storage, http: httpx.Client, key: str):
    put(storage, key)
    assert b"".join(storage.read(key)) == BODY
    assert storage.stat(key).key == key
    if "/" in key:
        assert keys(storage, key.split("/", maxsplit=1)[0] + "/") == [key]
    answer = http.get(storage.signed_url(key, expires_in=60))
    assert (answer.status_code, answer.content) == (200, BODY)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../outside",
        "a/../../outside",
        "a/./b",
        ".hidden",
        "a/.meta/b",
        ".store/uploads/x",
        "a//b",
        "a/",
        "a\\..\\b",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "\ud800",
        "x" * 241,
        "x/" * 600 + "x",
    ],
)
def test_keys_that_could_leave_the_root_are_refused_everywhere(storage: Storage, key: str):
    for act in (
        lambda: put(storage, key),
        lambda: storage.read(key),
        lambda: storage.stat(key),
        lambda: storage.signed_url(key, expires_in=60),
        lambda: storage.start(key, content_type="video/mp4"),
        lambda: storage.delete_prefix(key + "/"),
        lambda: list(storage.list(key + "/")),
    ):
        with pytest.raises(Invalid):
            act()


@pytest.mark.parametrize(
    "content_type", ["", "video", "video/mp4\r\nSet-Cookie: a=b", "视频/mp4", "a/b;" + "c" * 300]
)
def test_a_content_type_that_is_none_is_refused(storage: Storage, content_type: str):
    with pytest.raises(Invalid):
        storage.put(KEY, BODY, content_type=content_type)
    with pytest.raises(Invalid):
        storage.start(KEY, content_type=content_type)


@everywhere
def test_a_missing_object_is_not_found(storage: Storage):
    put(storage, "a/b")
    for key in ("nothing", "a/c", "a/b/c", "a"):
        for act in (storage.read, storage.stat, lambda k: storage.read(k, start=1, end=1)):
            with pytest.raises(ObjectNotFound):
                act(key)


@everywhere
def test_a_listing_is_sorted_by_bytes_and_knows_sizes(storage: Storage):
    names = ["b", "a", "a-b", "a.b", "a/c", "a0", "B", "é", "a/b/c", "中"]
    put(storage, "other/x")
    # `a` and `a/c` cannot both be files.
    names.remove("a")
    for name in names:
        put(storage, f"top/{name}")
    listed = list(storage.list("top/"))
    expected = sorted((f"top/{name}" for name in names), key=str.encode)
    assert [info.key for info in listed] == expected
    assert {info.size for info in listed} == {len(BODY)}
    assert {info.content_type for info in listed} == {""}
    assert listed[0].etag == storage.stat(listed[0].key).etag


@everywhere
def test_a_long_listing_is_complete(storage: Storage):
    names = [f"many/{number:04}" for number in range(12)]
    for name in names:
        storage.put(name, b"", content_type="text/plain")
    assert keys(storage, "many/") == names


@everywhere
def test_a_prefix_is_a_folder_not_a_beginning(storage: Storage):
    for key in ("a/1", "ab/2", "a-/3", "b/a/4"):
        put(storage, key)
    assert keys(storage, "a/") == ["a/1"]
    storage.delete_prefix("a/")
    assert keys(storage, "a/") == []
    assert (keys(storage, "ab/"), keys(storage, "a-/"), keys(storage, "b/")) == (
        ["ab/2"], ["a-/3"], ["b/a/4"],
    )  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "a", "/", "../"])
def test_a_prefix_ends_in_a_slash(storage: Storage, prefix: str):
    put(storage, "a/1")
    with pytest.raises(Invalid):
        storage.delete_prefix(prefix)
    with pytest.raises(Invalid):
        list(storage.list(prefix))
    assert storage.stat("a/1").size == len(BODY)


@everywhere
def test_deleting_is_idempotent_and_leaves_nothing(storage: Storage):
    for number in range(12):
        put(storage, f"media/x/{number % 3}/{number}")
    put(storage, "media/y")
    for _ in range(2):
        storage.delete_prefix("media/x/")
    storage.delete_prefix("never/was/")
    storage.delete_prefix("media/y/")
    assert keys(storage, "media/") == ["media/y"]
    with pytest.raises(ObjectNotFound):
        storage.stat("media/x/0/0")


def test_a_deleted_prefix_can_be_filled_again_even_by_an_object_of_its_name(storage: Storage):
    put(storage, "a/b/c")
    storage.delete_prefix("a/b/")
    put(storage, "a/b")
    assert keys(storage, "a/") == ["a/b"]
    storage.delete_prefix("a/")
    put(storage, "a/b/c")
    assert keys(storage, "a/") == ["a/b/c"]


@everywhere
def test_one_object_is_deleted_and_its_neighbours_stay(storage: Storage):
    for key in ("media/a/1", "media/a/2", "media/ab"):
        put(storage, key)
    storage.delete("media/a/1")
    assert keys(storage, "media/") == ["media/a/2", "media/ab"]
    with pytest.raises(ObjectNotFound):
        storage.stat("media/a/1")
    storage.delete("media/a/1")  # it is gone, as asked
    storage.delete("media/a/2")
    put(storage, "media/a")  # its name is free again
    assert keys(storage, "media/") == ["media/a", "media/ab"]


@pytest.mark.parametrize("key", ["", "../a", "a/", "/a"])
def test_nothing_is_deleted_under_a_name_that_is_none(storage: Storage, key: str):
    with pytest.raises(Invalid):
        storage.delete(key)
