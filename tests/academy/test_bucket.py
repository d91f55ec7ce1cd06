"""Making the bucket of a new installation, on a real server."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import replace

import pytest

from academy.errors import Unavailable
from academy.settings import Settings
from academy.storage.bucket import cors_rules, make_bucket
from academy.storage.s3 import S3Storage
from tests.fixtures_storage import S3Server


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
    assert parts["AllowedMethods"] == ["PUT"]
    assert parts.get("ExposeHeaders") == ["ETag"]
    assert (media["AllowedOrigins"], media["AllowedMethods"]) == (["*"], ["GET", "HEAD"])


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "academy.storage.bucket"],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_module_is_a_command_that_can_be_repeated(s3_server: S3Server):
    bucket = f"new-{secrets.token_hex(6)}"
    environment = s3_server.environment | {"ACADEMY_STORAGE_URL": f"s3://{bucket}/prefix"}
    first, second = run(environment), run(environment)
    assert (first.returncode, first.stdout) == (0, f"Bucket {bucket}: made.\n")
    assert (second.returncode, second.stdout) == (0, f"Bucket {bucket}: was there.\n")
    # Swift's CORS is set in its configuration; the command says so and succeeds.
    assert "CORS was not set" in first.stderr


def test_a_wrong_setting_is_one_sentence():
    done = run({"ACADEMY_STORAGE_URL": "ftp://somewhere"})
    assert done.returncode == 2
    assert done.stderr.startswith("ACADEMY_STORAGE_URL: ")
    assert done.stderr.count("\n") == 1
