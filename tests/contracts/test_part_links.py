"""What a part's signed link takes, and from where."""

from __future__ import annotations

from academy.object_stores import Storage
from tests.contracts.sending import KEY, LAST, Sending, md5_of, missing


def test_the_announced_md5_is_checked(sending: Sending):
    part = sending.send(1, LAST, md5=md5_of(LAST))
    refused = sending.put(1, b"altered", md5=md5_of(LAST))
    assert 400 <= refused.status_code < 500
    assert sending.parts() == [part]


def test_a_link_signed_for_one_md5_takes_no_other(storage: Storage, sending: Sending):
    signed = storage.sign_part(KEY, sending.upload_id, 1, expires_in=600, md5=md5_of(LAST))
    headers = {"Content-MD5": md5_of(b"altered")}
    refused = sending.http.put(
        signed.url.replace("md5=", "x="), content=b"altered", headers=headers
    )
    assert refused.status_code == 403
    assert (
        400 <= sending.http.put(signed.url, content=b"altered", headers=headers).status_code < 500
    )
    assert sending.parts() == []


def test_the_announced_size_is_checked(sending: Sending):
    part = sending.send(1, LAST, size=len(LAST))
    for body in (LAST + b"more", LAST[:-1], b""):
        assert 400 <= sending.put(1, body, size=len(LAST)).status_code < 500
    assert sending.parts() == [part]


def test_size_and_md5_can_both_be_signed(sending: Sending):
    part = sending.send(1, LAST, size=len(LAST), md5=md5_of(LAST))
    assert sending.parts() == [part]


def test_a_tampered_part_link_is_refused(storage: Storage, sending: Sending):
    url = storage.sign_part(KEY, sending.upload_id, 1, expires_in=600).url
    other = Sending(storage, sending.http, "recordings/other/source")
    for tampered in (
        url.replace("partNumber=1", "partNumber=2").replace("/1?", "/2?"),
        url.replace(sending.upload_id, other.upload_id),
        url.replace("recordings/5a", "recordings/other").replace(
            "recordings%2F5a", "recordings%2Fother"
        ),
        url.split("?", maxsplit=1)[0],
    ):
        assert tampered != url
        assert sending.http.put(tampered, content=LAST).status_code in {400, 403, 405}
    assert sending.parts() == []
    assert other.parts() == []
    assert missing(storage)


def test_a_part_from_another_origin_can_read_its_etag(storage: Storage, sending: Sending):
    signed = storage.sign_part(KEY, sending.upload_id, 1, expires_in=600)
    origin = {"Origin": "https://studio.example"}
    asked = sending.http.options(
        signed.url, headers=origin | {
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-md5,content-type",
        },
    )  # fmt: skip
    assert asked.status_code in {200, 204}
    assert asked.headers["access-control-allow-origin"] in {"*", "https://studio.example"}
    assert "PUT" in asked.headers["access-control-allow-methods"]
    answer = sending.http.put(signed.url, content=LAST, headers=origin)
    assert answer.status_code == 200
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert "etag" in [name.strip() for name in exposed.split(",")]
