"""Making the bucket of a new installation, on a real server."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from academy.errors import Unavailable
from academy.settings import Settings
from academy.storage.bucket import (
    ABANDONED_RULE,
    abandoned_days,
    cors_rules,
    make_bucket,
    set_up,
)
from academy.storage.checks import check_storage
from academy.storage.s3 import S3Storage
from tests.fixtures_storage import S3Server

pytestmark = pytest.mark.real


def test_a_bucket_is_made_once(s3_server: S3Server):
    storage = S3Storage(f"new-{secrets.token_hex(6)}", "lectures", s3_server.connection)
    with pytest.raises(Unavailable):
        storage.put("a", b"body", content_type="text/plain")
    assert [make_bucket(storage) for _ in range(3)] == [True, False, False]
    storage.put("a", b"body", content_type="text/plain")
    assert make_bucket(storage) is False
    assert storage.stat("a").size == 4


def test_who_may_not_make_buckets_is_told(s3_server: S3Server):
    wrong = replace(s3_server.connection, secret_key="something else")
    with pytest.raises(Unavailable, match="credentials"):
        make_bucket(S3Storage(f"new-{secrets.token_hex(6)}", connection=wrong))


def test_parts_may_be_sent_by_the_front_ends_and_media_read_by_all():
    parts, media = cors_rules(
        Settings(
            public_url="https://academy.example/base",
            cors_origins=["https://studio.example", "https://academy.example"],
        )
    )
    assert parts["AllowedOrigins"] == ["https://academy.example", "https://studio.example"]
    assert parts["AllowedMethods"] == ["PUT", "GET", "HEAD"]
    assert "ETag" in parts.get("ExposeHeaders", [])
    assert (media["AllowedOrigins"], media["AllowedMethods"]) == (["*"], ["GET", "HEAD"])


def run(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "academy.cli", "storage", "setup", "--data-dir", str(folder / "d")],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_can_be_repeated_and_says_what_a_server_does_not_offer(
    s3_server: S3Server, tmp_path: Path
):
    bucket = f"new-{secrets.token_hex(6)}"
    environment = s3_server.environment | {"ACADEMY_STORAGE_URL": f"s3://{bucket}/prefix"}
    for said in ("made", "was there"):
        done = run(environment, tmp_path)
        assert done.returncode == 0, done.stderr
        first, *others = done.stdout.splitlines()
        assert first == f"ok    bucket: {bucket} {said}"
        # Swift's CORS is set in its configuration; lifecycle rules and policies it has none.
        assert [line[:5] for line in others] == ["note "] * 3
        assert all("does not offer it" in line for line in others)


def test_a_wrong_setting_is_one_sentence(tmp_path: Path):
    done = run({"ACADEMY_STORAGE_URL": "ftp://somewhere"}, tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("ACADEMY_STORAGE_URL: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def on_ceph(ceph_server: S3Server) -> S3Storage:
    return S3Storage(f"new-{secrets.token_hex(6)}", "lectures", ceph_server.connection)


def steps(storage: S3Storage, settings: Settings) -> dict[str, str]:
    found = list(set_up(storage, settings))
    assert [step for step in found if step.done is not True] == []
    return {step.name: step.detail for step in found}


@pytest.mark.slow
def test_a_bucket_is_set_up_once_and_then_is_as_it_should_be(on_ceph: S3Storage):
    settings = Settings(secret_key="s" * 32, cors_origins=["https://studio.example"])
    first = steps(on_ceph, settings)
    assert [first[name] for name in ("CORS", "abandoned uploads")] == ["set", "set"]
    again = steps(on_ceph, settings)
    assert set(again.values()) == {f"{on_ceph.bucket} was there", "was as it should be"}
    assert abandoned_days(on_ceph) == 8
    found = {check.name: check.ok for check in check_storage(on_ceph, settings)}
    assert found == dict.fromkeys(
        ("write", "read", "sign", "CORS", "privacy of recordings", "privacy of media",
         "abandoned uploads"), True,
    )  # fmt: skip


@pytest.mark.slow
def test_rules_of_others_stay(on_ceph: S3Storage):
    make_bucket(on_ceph)
    client, bucket = on_ceph.client, on_ceph.bucket
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [{"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
                       "Expiration": {"Days": 30}}]
        },
    )  # fmt: skip
    client.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={"CORSRules": [{"ID": "theirs", "AllowedOrigins": ["https://a.example"],
                                          "AllowedMethods": ["POST"]}]},
    )  # fmt: skip
    steps(on_ceph, Settings())
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule.get("ID") for rule in rules} == {"logs", ABANDONED_RULE}
    cors = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert {rule.get("ID") for rule in cors} == {"theirs", "academy-parts", "academy-media"}


@pytest.mark.slow
def test_media_alone_become_public_and_private_again(on_ceph: S3Storage):
    public, private = Settings(s3_public_media=True), Settings()
    steps(on_ceph, public)
    keys = ("media/a/main.m3u8", "recordings/a/source", "health/a")
    for key in keys:
        on_ceph.put(key, b"body", content_type="text/plain")

    def unsigned() -> list[int]:
        links = [on_ceph.signed_url(key, expires_in=60).partition("?")[0] for key in keys]
        return [httpx.get(link).status_code for link in links]

    assert unsigned() == [200, 403, 403]
    found = {check.name: check.ok for check in check_storage(on_ceph, public)}
    assert (found["privacy of media"], found["privacy of recordings"]) == (None, True)
    assert steps(on_ceph, public)["public media"] == "was as it should be"
    assert steps(on_ceph, private)["public media"] == "set"
    assert unsigned() == [403, 403, 403]
