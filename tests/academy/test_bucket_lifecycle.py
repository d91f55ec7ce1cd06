"""The rule for abandoned uploads at work, on a server for which a day lasts seconds."""

from __future__ import annotations

import secrets
import time

import httpx
import pytest

from academy.errors import ObjectNotFound
from academy.settings import Settings
from academy.storage.bucket import ABANDONED_DAYS, set_up
from academy.storage.s3 import S3Storage
from tests.ceph_server import DAY
from tests.fixtures_storage import S3Server

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

AGE = ABANDONED_DAYS * DAY
PATIENCE = AGE + 90
"""Seconds until the server has surely looked."""


def begun(storage: S3Storage, key: str) -> tuple[str, str]:
    """An upload of which one part has arrived."""
    upload = storage.start(key, content_type="video/mp4")
    link = storage.sign_part(key, upload, 1, expires_in=600)
    assert httpx.put(link.url, content=b"a part", headers=link.headers).status_code == 200
    return key, upload


def test_an_upload_that_nobody_goes_on_with_is_removed_and_nothing_else(
    ceph_server: S3Server,
) -> None:
    storage = S3Storage(f"new-{secrets.token_hex(6)}", "lectures", ceph_server.connection)
    others = S3Storage(storage.bucket, "others", ceph_server.connection)
    assert [step for step in set_up(storage, Settings()) if step.done is False] == []
    whole = "recordings/whole/source"
    key, upload = begun(storage, whole)
    storage.complete(key, upload, list(storage.parts(key, upload)))
    storage.put("media/a/main.m3u8", b"#EXTM3U", content_type="text/plain")
    began = time.monotonic()
    abandoned = begun(storage, "recordings/abandoned/source")
    of_others = begun(others, "recordings/theirs/source")
    elsewhere = begun(storage, "media/elsewhere")

    time.sleep(AGE * 0.6)
    assert abandoned[1] in {each.upload_id for each in storage.under_way()}, "not before its time"
    young = begun(storage, "recordings/young/source")
    while abandoned[1] in (left := {each.upload_id for each in storage.under_way()}):
        assert time.monotonic() - began < PATIENCE, "the rule does nothing"
        time.sleep(0.5)
    assert time.monotonic() - began > AGE - DAY
    assert {young[1], elsewhere[1]} <= left
    assert [part.number for part in storage.parts(*young)] == [1]
    with pytest.raises(ObjectNotFound):
        list(storage.parts(*abandoned))
    assert of_others[1] in {each.upload_id for each in others.under_way()}
    assert b"".join(storage.read(whole)) == b"a part"
    assert b"".join(storage.read("media/a/main.m3u8")) == b"#EXTM3U"
