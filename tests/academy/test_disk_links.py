"""Links that a disk storage signs to its own controller, and how settings choose the backend."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from academy.errors import Forbidden, SettingsError
from academy.keys import KeyRing
from academy.settings import Settings
from academy.storage import open_storage
from academy.storage.disk import DiskStorage
from academy.storage.links import DiskLinks, bucket_end
from academy.storage.s3 import S3Storage

KEY = "media/x/v720/0-1.m4s"


def test_without_a_key_nothing_is_signed(tmp_path: Path):
    storage = DiskStorage(tmp_path / "objects")
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
