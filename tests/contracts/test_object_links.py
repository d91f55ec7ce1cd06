"""What signed links to objects give, and what they refuse: disk and S3."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from academy.object_stores import Storage
from tests.contracts.objects import BODY, KEY, everywhere, put


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@everywhere
def test_a_signed_link_gives_the_object_with_its_headers(storage: Storage, http: httpx.Client):
    put(storage)
    answer = http.get(storage.signed_url(KEY, expires_in=60))
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["etag"] == f'"{storage.stat(KEY).etag}"'
    assert answer.headers["content-length"] == str(len(BODY))


def test_a_signed_link_answers_ranges(storage: Storage, http: httpx.Client):
    put(storage)
    url = storage.signed_url(KEY, expires_in=60)
    for value, expected, described in [
        ("bytes=10-19", BODY[10:20], "bytes 10-19/5120"),
        ("bytes=5000-", BODY[5000:], "bytes 5000-5119/5120"),
        ("bytes=-5", BODY[-5:], "bytes 5115-5119/5120"),
        ("bytes=5110-9999", BODY[5110:], "bytes 5110-5119/5120"),
    ]:
        answer = http.get(url, headers={"Range": value})
        assert (answer.status_code, answer.content) == (206, expected)
        assert answer.headers["content-range"] == described
    assert http.get(url, headers={"Range": "bytes=5120-"}).status_code == 416


def test_a_signed_link_answers_304_to_who_has_the_object(storage: Storage, http: httpx.Client):
    put(storage)
    url = storage.signed_url(KEY, expires_in=60)
    etag = http.get(url).headers["etag"]
    assert http.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert http.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_signed_link_can_be_read_from_any_origin(storage: Storage, http: httpx.Client):
    put(storage)
    url = storage.signed_url(KEY, expires_in=60)
    answer = http.get(url, headers={"Origin": "https://portal.example"})
    assert answer.headers["access-control-allow-origin"] in {"*", "https://portal.example"}
    assert "access-control-allow-credentials" not in answer.headers


def test_a_signed_link_stays_the_same_for_a_while(storage: Storage):
    # Two readings may lie on both sides of a bucket's border, three in a row cannot.
    links = {storage.signed_url(KEY, expires_in=3600) for _ in range(3)}
    assert len(links) <= 2
    assert storage.signed_url(KEY, expires_in=7200) not in links


def test_a_signed_link_to_nothing_is_404(storage: Storage, http: httpx.Client):
    assert http.get(storage.signed_url("nothing", expires_in=60)).status_code == 404


def test_a_link_for_one_object_opens_no_other(storage: Storage, http: httpx.Client):
    put(storage, "a/open")
    put(storage, "a/secret")
    url = storage.signed_url("a/open", expires_in=60)
    assert http.get(url).status_code == 200
    assert http.get(url.replace("a/open", "a/secret")).status_code == 403


def test_a_tampered_link_is_refused(storage: Storage, http: httpx.Client):
    put(storage)
    url = storage.signed_url(KEY, expires_in=60)
    query = parse_qs(urlsplit(url).query)
    signature = (query.get("X-Amz-Signature") or query["signature"])[0]
    expiry = (query.get("X-Amz-Expires") or query["expires"])[0]
    wrong = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    for tampered in (
        url.replace(signature, wrong),
        url.replace(f"xpires={expiry}", f"xpires={int(expiry) + 100}"),
        url.split("?", maxsplit=1)[0] + "?expires=1",
        url.split("?", maxsplit=1)[0],
    ):
        assert http.get(tampered).status_code in {400, 403}
    assert http.put(url, content=b"mine now").status_code in {403, 405}
    assert b"".join(storage.read(KEY)) == BODY
