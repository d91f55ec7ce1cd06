"""Any sequence of puts, deletes, reads and multipart uploads: every backend agrees with a dictionary."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from academy.errors import Conflict, ObjectNotFound
from academy.object_stores import Storage
from academy.storage.s3 import S3Storage
from academy.uploads import Part
from tests.fixtures_storage import DiskServer, S3Server

# Few names, so that they meet; none is another's folder, which S3 allows and a disk cannot.
KEYS = ["a/1", "a/2", "a/b/1", "ab/1", "c", "é/中"]
PREFIXES = ["a/", "a/b/", "ab/", "é/", "never/"]
TYPES = ["video/mp4", "text/vtt; charset=utf-8", "application/octet-stream"]
CACHES = [None, "no-cache", "public, max-age=31536000, immutable"]
BODIES = [b"", b"x", b"hello", bytes(range(256)) * 9]


@dataclass
class Stored:
    body: bytes
    content_type: str
    cache_control: str | None


@dataclass
class Going:
    key: str
    content_type: str
    upload_id: str
    bodies: dict[int, bytes] = field(default_factory=dict)
    parts: dict[int, Part] = field(default_factory=dict)


class StorageMachine(RuleBasedStateMachine):
    storage: Storage
    http: httpx.Client
    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Stored] = {}

    @rule(
        key=st.sampled_from(KEYS),
        body=st.sampled_from(BODIES),
        content_type=st.sampled_from(TYPES),
        cache_control=st.sampled_from(CACHES),
    )
    def put(self, key: str, body: bytes, content_type: str, cache_control: str | None) -> None:
        self.storage.put(key, body, content_type=content_type, cache_control=cache_control)
        self.model[key] = Stored(body, content_type, cache_control)

    @rule(key=st.sampled_from(KEYS), start=st.integers(0, 2500), length=st.integers(0, 2500))
    def read(self, key: str, start: int, length: int) -> None:
        try:
            body = b"".join(self.storage.read(key, start=start, end=start + length))
        except ObjectNotFound:
            assert key not in self.model
        else:
            assert body == self.model[key].body[start : start + length]

    @rule(key=st.sampled_from(KEYS))
    def stat(self, key: str) -> None:
        try:
            info = self.storage.stat(key)
        except ObjectNotFound:
            assert key not in self.model
        else:
            stored = self.model[key]
            assert (info.size, info.content_type, info.cache_control) == (
                len(stored.body), stored.content_type, stored.cache_control,
            )  # fmt: skip

    @rule(prefix=st.sampled_from(PREFIXES))
    def delete_prefix(self, prefix: str) -> None:
        self.storage.delete_prefix(prefix)
        self.model = {k: v for k, v in self.model.items() if not k.startswith(prefix)}

    @rule(target=uploads, key=st.sampled_from(KEYS), content_type=st.sampled_from(TYPES))
    def start(self, key: str, content_type: str) -> Going:
        return Going(key, content_type, self.storage.start(key, content_type=content_type))

    @rule(upload=uploads, number=st.integers(1, 3), body=st.sampled_from(BODIES[1:]))
    def send(self, upload: Going, number: int, body: bytes) -> None:
        signed = self.storage.sign_part(upload.key, upload.upload_id, number, expires_in=600)
        answer = self.http.put(signed.url, content=body)
        assert answer.status_code == 200
        upload.bodies[number] = body
        upload.parts[number] = Part(
            number=number, size=len(body), etag=answer.headers["etag"].strip('"')
        )

    @rule(upload=uploads)
    def list_parts(self, upload: Going) -> None:
        arrived = list(self.storage.parts(upload.key, upload.upload_id))
        assert arrived == [upload.parts[number] for number in sorted(upload.parts)]

    @rule(upload=consumes(uploads), number=st.integers(1, 3))
    def complete(self, upload: Going, number: int) -> None:
        """With one part of those that arrived: bodies here are below the minimum of several."""
        try:
            wanted = upload.parts.get(number, Part(number=number, size=1, etag="0" * 32))
            self.storage.complete(upload.key, upload.upload_id, [wanted])
        except Conflict:
            assert number not in upload.parts
            self.storage.abort(upload.key, upload.upload_id)
        else:
            self.model[upload.key] = Stored(upload.bodies[number], upload.content_type, None)

    @rule(upload=consumes(uploads))
    def abort(self, upload: Going) -> None:
        self.storage.abort(upload.key, upload.upload_id)

    @invariant()
    def listings_agree(self) -> None:
        for prefix in ("a/", "é/"):
            listed = [(info.key, info.size) for info in self.storage.list(prefix)]
            assert listed == sorted(
                (
                    (key, len(stored.body))
                    for key, stored in self.model.items()
                    if key.startswith(prefix)
                ),
                key=lambda pair: pair[0].encode(),
            )


def run(opened: Callable[[str], Storage], *, examples: int) -> None:
    """`opened` makes an empty storage from a fresh name."""
    with httpx.Client() as client:

        class Machine(StorageMachine):
            http = client

            def __init__(self) -> None:
                super().__init__()
                self.storage = opened(secrets.token_hex(8))

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_disk_behaves_as_a_dictionary(disk_server: DiskServer, tmp_path: Path):
    run(lambda name: disk_server.open(tmp_path / name), examples=40)


def test_s3_behaves_as_a_dictionary(s3_server: S3Server, shared_bucket: str):
    run(lambda name: S3Storage(shared_bucket, name, s3_server.connection), examples=3)


@pytest.mark.slow
def test_s3_behaves_as_a_dictionary_for_long(s3_server: S3Server, shared_bucket: str):
    run(lambda name: S3Storage(shared_bucket, name, s3_server.connection), examples=60)
