"""The disk storage's controller over real HTTP: what browsers, players and broken lines meet."""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from academy.storage.disk import DiskStorage
from tests.fixtures_storage import DiskServer

KEY = "recordings/5a/source"
BODY = secrets.token_bytes(3_000_000)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def upload_id(disk_storage: DiskStorage) -> str:
    return disk_storage.start(KEY, content_type="video/mp4")


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def test_head_says_what_get_would(disk_storage: DiskStorage, http: httpx.Client):
    disk_storage.put(KEY, BODY, content_type="video/mp4")
    url = disk_storage.signed_url(KEY, expires_in=60)
    got, head = http.get(url), http.head(url)
    assert got.content == BODY
    assert (head.status_code, head.content) == (200, b"")
    changing = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in changing} == {
        k: v for k, v in got.headers.items() if k not in changing
    }
    part = http.head(url, headers={"Range": "bytes=5-"})
    assert (part.status_code, part.headers["content-length"]) == (206, str(len(BODY) - 5))


def test_what_was_uploaded_cannot_run_in_the_api_s_origin(
    disk_storage: DiskStorage, http: httpx.Client
):
    page = b"<script>steal()</script>"
    for content_type in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/plain"):
        disk_storage.put(KEY, page, content_type=content_type)
        answer = http.get(disk_storage.signed_url(KEY, expires_in=60))
        assert answer.headers["content-type"] == content_type
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


def test_media_are_shown_and_not_downloaded(disk_storage: DiskStorage, http: httpx.Client):
    for content_type in ("video/mp4", "audio/mp4", "image/jpeg", "text/vtt; charset=utf-8"):
        disk_storage.put(KEY, b"", content_type=content_type)
        answer = http.get(disk_storage.signed_url(KEY, expires_in=60))
        assert answer.headers["content-disposition"] == "inline"


def test_an_object_without_cache_control_stays_out_of_shared_caches(
    disk_storage: DiskStorage, http: httpx.Client
):
    disk_storage.put(KEY, BODY, content_type="video/mp4")
    answer = http.get(disk_storage.signed_url(KEY, expires_in=60))
    assert answer.headers["cache-control"] == "private, no-cache"


def test_a_range_beyond_the_end_is_told_the_size(disk_storage: DiskStorage, http: httpx.Client):
    disk_storage.put(KEY, b"12345", content_type="video/mp4")
    url = disk_storage.signed_url(KEY, expires_in=60)
    answer = http.get(url, headers={"Range": "bytes=5-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */5")


def test_if_range_of_another_version_gets_the_whole(disk_storage: DiskStorage, http: httpx.Client):
    disk_storage.put(KEY, b"12345", content_type="video/mp4")
    url = disk_storage.signed_url(KEY, expires_in=60)
    headers = {"Range": "bytes=1-2", "If-Range": '"other"'}
    assert http.get(url, headers=headers).content == b"12345"
    headers["If-Range"] = f'"{etag_of(b"12345")}"'
    assert http.get(url, headers=headers).content == b"23"


def test_an_expired_link_is_a_problem_that_a_page_elsewhere_can_read(
    disk_storage: DiskStorage, http: httpx.Client, upload_id: str
):
    disk_storage.put(KEY, BODY, content_type="video/mp4")
    links = disk_storage.links
    part = links.part(KEY, upload_id, 1, expires_in=-1, md5=None, size=None)
    for answer in (
        http.get(links.object_url(KEY, expires_in=-1000)),
        http.put(part.url, content=b"late"),
    ):
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json()["type"].endswith("expired_link")
        assert "expired" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["", "?expires=&signature=", "?expires=x&signature=y", "?expires=-1&signature=y",
     "?expires=99999999999999999999999&signature=y", "?expires=%D9%A3&signature=%F0%9F%8E%93"],
)  # fmt: skip
def test_a_link_that_makes_no_sense_is_forbidden(
    disk_storage: DiskStorage, disk_server: DiskServer, http: httpx.Client, query: str
):
    disk_storage.put(KEY, BODY, content_type="video/mp4")
    assert http.get(f"{disk_server.url}/v1/storage/objects/{KEY}{query}").status_code == 403
    assert http.put(f"{disk_server.url}/v1/storage/parts/{'0' * 32}/1{query}").status_code == 403


def test_a_part_is_taken_in_chunked_coding_too(
    disk_storage: DiskStorage, http: httpx.Client, upload_id: str
):
    url = disk_storage.sign_part(KEY, upload_id, 1, expires_in=60).url
    answer = http.put(url, content=(BODY[n : n + 70_000] for n in range(0, len(BODY), 70_000)))
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{etag_of(BODY)}"')
    [part] = disk_storage.parts(KEY, upload_id)
    assert part.size == len(BODY)


def test_more_bytes_than_signed_are_refused_also_when_unannounced(
    disk_storage: DiskStorage, http: httpx.Client, upload_id: str
):
    url = disk_storage.sign_part(KEY, upload_id, 1, expires_in=60, size=10).url
    assert http.put(url, content=iter([b"12345", b"67890", b"1"])).status_code == 413
    assert http.put(url, content=b"123").status_code == 422
    assert http.put(url, content=iter([b"123"])).status_code == 422
    assert disk_storage.parts(KEY, upload_id) == []


def test_a_line_that_breaks_leaves_no_half_part(disk_storage: DiskStorage, upload_id: str):
    url = urlsplit(disk_storage.sign_part(KEY, upload_id, 1, expires_in=60).url)
    with socket.create_connection((url.hostname, url.port)) as line:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
        line.sendall(head.encode() + BODY)
        _eventually(lambda: _half_written(disk_storage))
    _eventually(lambda: not _half_written(disk_storage))
    assert disk_storage.parts(KEY, upload_id) == []


def test_a_reader_who_leaves_in_the_middle_harms_nobody(
    disk_storage: DiskStorage, http: httpx.Client
):
    disk_storage.put(KEY, BODY * 8, content_type="video/mp4")
    url = disk_storage.signed_url(KEY, expires_in=60)
    with http.stream("GET", url) as answer:
        assert next(answer.iter_bytes())
    assert http.get(url).content == BODY * 8


def test_an_object_replaced_while_it_is_read_is_read_to_its_old_end(
    disk_storage: DiskStorage, http: httpx.Client
):
    disk_storage.put(KEY, BODY * 8, content_type="video/mp4")
    with http.stream("GET", disk_storage.signed_url(KEY, expires_in=60)) as answer:
        pieces = answer.iter_bytes()
        got = next(pieces)
        disk_storage.put(KEY, b"short", content_type="video/mp4")
        got += b"".join(pieces)
    assert got == BODY * 8


def test_neither_parts_nor_objects_are_held_in_memory(
    disk_storage: DiskStorage, http: httpx.Client, upload_id: str
):
    piece = secrets.token_bytes(65_536)
    url = disk_storage.sign_part(KEY, upload_id, 1, expires_in=60).url
    tracemalloc.start()
    try:
        # 64 MiB; server and client share this process, so both are measured.
        assert http.put(url, content=(piece for _ in range(1024))).status_code == 200
        disk_storage.complete(KEY, upload_id, disk_storage.parts(KEY, upload_id))
        with http.stream("GET", disk_storage.signed_url(KEY, expires_in=60)) as answer:
            assert sum(map(len, answer.iter_raw())) == 1024 * len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024**2


def test_many_parts_at_once_all_arrive(disk_storage: DiskStorage, upload_id: str):
    def send(number: int) -> None:
        with httpx.Client(timeout=60) as client:
            url = disk_storage.sign_part(KEY, upload_id, number, expires_in=60).url
            client.put(url, content=BODY + bytes([number])).raise_for_status()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [part.etag for part in disk_storage.parts(KEY, upload_id)] == [
        etag_of(BODY + bytes([number])) for number in range(1, 13)
    ]


def _half_written(storage: DiskStorage) -> bool:
    return any(storage.root.rglob(".in-*"))


def _eventually(condition) -> None:
    while not condition():
        time.sleep(0.01)
