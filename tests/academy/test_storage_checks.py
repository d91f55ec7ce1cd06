"""`academy doctor` on storages that are well and on storages that are not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from academy.keys import KeyRing
from academy.object_stores import Storage
from academy.settings import Settings
from academy.storage.checks import check_storage
from academy.storage.disk import DiskStorage
from academy.storage.s3 import S3Storage
from tests.fixtures_storage import DiskServer, S3Server, running_swift

pytestmark = pytest.mark.real

SECRET = "s" * 32


def settings(**values: object) -> Settings:
    return Settings.model_validate({"secret_key": SECRET} | values)


def outcomes(storage: Storage, chosen: Settings) -> dict[str, bool | None]:
    return {check.name: check.ok for check in check_storage(storage, chosen)}


@pytest.mark.parametrize("storage", ["disk", "s3-prefix"], indirect=True)
def test_a_storage_that_is_well_passes_and_is_left_as_it_was(storage: Storage):
    storage.put("media/x", b"body", content_type="text/plain")
    chosen = settings(cors_origins="https://portal.example,https://studio.example")
    checks = check_storage(storage, chosen)
    # Swift knows no lifecycle rules.
    lifecycle = [("abandoned uploads", None)] if isinstance(storage, S3Storage) else []
    assert [(check.name, check.ok) for check in checks] == [
        ("write", True), ("read", True), ("sign", True), ("CORS", True),
        ("privacy of recordings", True), ("privacy of media", True), *lifecycle,
    ]  # fmt: skip
    assert [*storage.list("health/"), *storage.list("recordings/")] == []
    assert [info.key for info in storage.list("media/")] == ["media/x"]


def test_a_disk_without_a_running_api_is_well_as_far_as_one_can_tell(tmp_path: Path):
    storage = DiskStorage(tmp_path, keys=KeyRing(SECRET), public_url="http://127.0.0.1:9")
    *_, last = check_storage(storage, settings())
    assert (last.name, last.ok) == ("sign", None)
    assert "http://127.0.0.1:9 does not answer" in last.detail


def test_a_disk_without_a_secret_key_says_what_is_missing(tmp_path: Path):
    *_, last = check_storage(DiskStorage(tmp_path), settings(secret_key=None))
    assert (last.name, last.ok) == ("sign", None)
    assert "ACADEMY_SECRET_KEY" in last.detail


def test_an_api_with_another_key_is_noticed(disk_server: DiskServer, tmp_path: Path):
    disk_server.open(tmp_path)
    storage = DiskStorage(tmp_path, keys=KeyRing("other" * 8), public_url=disk_server.url)
    *_, last = check_storage(storage, settings())
    assert (last.name, last.ok) == ("sign", False)
    assert "403" in last.detail
    assert "ACADEMY_SECRET_KEY" in last.detail


def test_a_folder_that_takes_nothing_is_noticed(tmp_path: Path):
    storage = DiskStorage(tmp_path, keys=KeyRing(SECRET), public_url="http://127.0.0.1:9")
    (tmp_path / "health").write_bytes(b"a file where a folder should be")
    [check] = check_storage(storage, settings())
    assert (check.name, check.ok) == ("write", False)


def test_wrong_credentials_are_noticed_and_named(s3_server: S3Server, shared_bucket: str):
    wrong = replace(s3_server.connection, secret_key="something else")
    [check] = check_storage(S3Storage(shared_bucket, connection=wrong), settings())
    assert (check.name, check.ok) == ("write", False)
    assert "credentials" in check.detail


def test_an_address_that_clients_cannot_reach_is_noticed(s3_server: S3Server, shared_bucket: str):
    hidden = replace(s3_server.connection, public_endpoint_url="http://127.0.0.1:9")
    *_, last = check_storage(S3Storage(shared_bucket, connection=hidden), settings())
    assert (last.name, last.ok) == ("sign", False)
    assert "ACADEMY_S3_PUBLIC_ENDPOINT_URL" in last.detail


@pytest.fixture(scope="module")
def for_one_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Storage]:
    folder = tmp_path_factory.mktemp("swift")
    with running_swift(folder, origin="https://studio.example") as server:
        yield S3Storage(server.new_bucket(), connection=server.connection)


def test_missing_cors_rules_are_noticed_and_named(for_one_origin: S3Storage):
    allowed = settings(public_url="https://studio.example")
    assert outcomes(for_one_origin, allowed)["CORS"] is True
    other = settings(public_url="https://studio.example", cors_origins="https://portal.example")
    [check] = [check for check in check_storage(for_one_origin, other) if check.name == "CORS"]
    assert check.ok is False
    assert "https://portal.example may not send parts" in check.detail


class Open(DiskStorage):
    """Served by a web server that asks nobody for a signature."""

    address = ""

    def signed_url(self, key: str, *, expires_in: int) -> str:
        return f"{self.address}/{key}?signature=any&expires={expires_in}"


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Open]:
    storage = Open(tmp_path)

    class Quiet(SimpleHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    serve = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        storage.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield storage
        server.shutdown()
        thread.join()


def test_what_everybody_reads_is_noticed_and_recordings_that_anybody_reads_are_wrong(public: Open):
    chosen = settings(public_media_url=public.address)
    found = {check.name: check for check in check_storage(public, chosen)}
    assert found["privacy of recordings"].ok is False
    assert "everybody may read" in found["privacy of recordings"].detail
    assert found["privacy of media"].ok is None
    assert found["public media"].ok is True
    elsewhere = settings(public_media_url=public.address + "/elsewhere")
    [served] = [c for c in check_storage(public, elsewhere) if c.name == "public media"]
    assert served.ok is False
    assert "404" in served.detail


def test_media_that_should_be_public_and_are_not_are_wrong(disk_storage: DiskStorage):
    found = outcomes(disk_storage, settings(s3_public_media=True))
    assert found["privacy of media"] is False
    assert found["privacy of recordings"] is True
