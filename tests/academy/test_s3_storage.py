"""What only the S3 backend meets: servers that refuse, vanish or break off, and its presigned links."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from academy.errors import Invalid, ObjectNotFound, SettingsError, Unavailable
from academy.keys import KeyRing
from academy.object_stores import LocalFiles
from academy.settings import Settings
from academy.storage import open_storage, s3
from academy.storage.presign import Credentials, presigned
from academy.storage.s3 import S3Storage
from academy.storage.s3_connection import S3Connection
from tests.fixtures_storage import S3Server

pytestmark = pytest.mark.real

KEY = "media/x/v720/0-1.m4s"
BODY = secrets.token_bytes(3_000_000)


def test_an_expired_link_is_refused(s3_server: S3Server, s3_storage: S3Storage):
    s3_storage.put(KEY, BODY, content_type="video/mp4")
    address = f"{s3_server.endpoint}/{s3_storage.bucket}/{quote(s3_storage.prefix + KEY)}"
    now = datetime.now(UTC)
    for age, status in ((timedelta(minutes=1), 200), (timedelta(hours=2), 403)):
        link = presigned(
            "GET",
            address,
            credentials=Credentials(s3_server.access_key, s3_server.secret_key),
            region=s3_server.region,
            at=now - age,
            expires_in=3600,
        )
        assert httpx.get(link).status_code == status


def test_every_process_makes_the_same_link(s3_server: S3Server, s3_storage: S3Storage):
    s3_storage.put(KEY, BODY, content_type="video/mp4")
    elsewhere = S3Storage(s3_storage.bucket, s3_storage.prefix, replace(s3_server.connection))
    links = {
        storage.signed_url(KEY, expires_in=3600)
        for storage in (s3_storage, elsewhere, s3_storage, elsewhere)
    }
    # One, or two where a quarter of an hour ended in between.
    assert len(links) <= 2
    for link in links:
        assert httpx.get(link).content == BODY


def test_links_live_for_at_most_a_week(s3_storage: S3Storage):
    with pytest.raises(Invalid):
        s3_storage.signed_url(KEY, expires_in=7 * 24 * 3600)
    with pytest.raises(Invalid):
        s3_storage.sign_part(KEY, "upload", 1, expires_in=0)


def test_links_lead_to_the_address_that_clients_know(s3_server: S3Server, s3_storage: S3Storage):
    public = s3_server.endpoint.replace("127.0.0.1", "localhost")
    storage = S3Storage(
        s3_storage.bucket,
        s3_storage.prefix,
        replace(s3_server.connection, public_endpoint_url=public),
    )
    storage.put(KEY, BODY, content_type="video/mp4")
    link = storage.signed_url(KEY, expires_in=60)
    assert link.startswith(public + "/")
    assert httpx.get(link).content == BODY
    upload_id = storage.start(KEY, content_type="video/mp4")
    part = storage.sign_part(KEY, upload_id, 1, expires_in=60)
    assert part.url.startswith(public + "/")
    assert httpx.put(part.url, content=b"part").status_code == 200


def test_virtual_hosted_links_name_the_bucket_in_the_host():
    storage = S3Storage(
        "lectures",
        connection=S3Connection(
            endpoint_url="https://s3.oss-cn-hangzhou.aliyuncs.com",
            region="cn-hangzhou",
            addressing_style="virtual",
            access_key="a",
            secret_key="b",
        ),
    )
    link = storage.signed_url("中/a b", expires_in=60)
    assert link.startswith(
        "https://lectures.s3.oss-cn-hangzhou.aliyuncs.com/%E4%B8%AD/a%20b?X-Amz-Algorithm="
    )


def test_a_large_file_goes_up_in_parts(
    s3_storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(s3, "_LARGEST_PUT", 5 * 1024**2)
    monkeypatch.setattr(s3, "_CHUNK", 5 * 1024**2)
    source = tmp_path / "source"
    source.write_bytes(BODY * 4)
    s3_storage.put(KEY, source, content_type="video/mp4", cache_control="no-cache")
    info = s3_storage.stat(KEY)
    assert (info.size, info.content_type, info.cache_control) == (
        len(BODY) * 4, "video/mp4", "no-cache",
    )  # fmt: skip
    assert info.etag.endswith("-3")
    assert b"".join(s3_storage.read(KEY)) == BODY * 4


def test_objects_of_a_bucket_are_no_local_files(s3_storage: S3Storage):
    assert not isinstance(s3_storage, LocalFiles)


def test_a_wrong_secret_is_said_to_be_one(s3_server: S3Server, shared_bucket: str):
    storage = S3Storage(
        shared_bucket, connection=replace(s3_server.connection, secret_key="something else")
    )
    with pytest.raises(Unavailable, match="credentials"):
        storage.put(KEY, BODY, content_type="video/mp4")
    with pytest.raises(Unavailable, match="credentials"):
        storage.stat(KEY)
    assert httpx.get(storage.signed_url(KEY, expires_in=60)).status_code == 403


def test_a_bucket_that_does_not_exist_is_named(s3_server: S3Server):
    storage = S3Storage("no-such-bucket", connection=s3_server.connection)
    with pytest.raises(Unavailable, match="ACADEMY_STORAGE_URL"):
        storage.put(KEY, BODY, content_type="video/mp4")
    with pytest.raises(Unavailable, match="ACADEMY_STORAGE_URL"):
        list(storage.list("media/"))


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    # The waits between attempts are botocore's own; here only their outcome counts.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    storage = S3Storage(
        "lectures",
        connection=S3Connection(
            endpoint_url=f"http://127.0.0.1:{port}", access_key="a", secret_key="b"
        ),
    )
    with pytest.raises(Unavailable, match="ACADEMY_S3_ENDPOINT_URL"):
        storage.stat(KEY)


def test_without_credentials_the_settings_are_wrong(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID"):
        S3Storage("lectures", connection=S3Connection())


class Breaking:
    """A line to the server that is cut after so many bytes of each answer, so many times."""

    def __init__(self, endpoint: str, after: int, cuts: int) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self._server = (host, int(port))
        self._after = after
        self.cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for pump in (self._requests, self._answers):
                self._threads.append(threading.Thread(target=pump, args=(client, server)))
                self._threads[-1].start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        _hang_up(client, server)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while data := server.recv(65536):
                if self.cuts > 0 and sent + len(data) > self._after:
                    self.cuts -= 1
                    # Whatever came in one piece with them, the headers always arrive.
                    headers = data.find(b"\r\n\r\n") + 4 if sent == 0 else 0
                    client.sendall(data[: max(headers, self._after - sent)])
                    break
                client.sendall(data)
                sent += len(data)
        _hang_up(client, server)


def _hang_up(*lines: socket.socket) -> None:
    for line in lines:
        # Unlike closing, this also wakes the other thread.
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()


@pytest.fixture
def breaking(
    request: pytest.FixtureRequest, s3_server: S3Server, s3_storage: S3Storage
) -> Iterator[tuple[Breaking, S3Storage]]:
    after, cuts = request.param
    s3_storage.put(KEY, BODY, content_type="video/mp4")
    line = Breaking(s3_server.endpoint, after, cuts)
    connection = replace(s3_server.connection, endpoint_url=line.endpoint)
    storage = S3Storage(s3_storage.bucket, s3_storage.prefix, connection)
    yield line, storage
    storage.client.close()
    line.close()


@pytest.mark.parametrize("breaking", [(1_200_000, 2)], indirect=True)
def test_reading_goes_on_where_the_line_broke(breaking: tuple[Breaking, S3Storage]):
    line, storage = breaking
    assert b"".join(storage.read(KEY, start=5)) == BODY[5:]
    assert line.cuts == 0


@pytest.mark.parametrize("breaking", [(1_200_000, 2)], indirect=True)
def test_a_range_goes_on_to_its_end_and_not_further(breaking: tuple[Breaking, S3Storage]):
    line, storage = breaking
    assert b"".join(storage.read(KEY, start=7, end=2_900_000)) == BODY[7:2_900_000]
    assert line.cuts == 0


@pytest.mark.parametrize("breaking", [(0, 1000)], indirect=True)
def test_a_line_that_never_holds_is_given_up(breaking: tuple[Breaking, S3Storage]):
    _, storage = breaking
    with pytest.raises(Unavailable, match="broke off"):
        list(storage.read(KEY))


def test_an_object_deleted_while_it_is_listed_or_read_is_not_found(s3_storage: S3Storage):
    s3_storage.put(KEY, BODY, content_type="video/mp4")
    s3_storage.delete_prefix("media/")
    with pytest.raises(ObjectNotFound):
        s3_storage.read(KEY)


class Answer:
    """What botocore takes for a connection's answer."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""


@pytest.mark.parametrize(("checksums", "trailers"), [(None, False), ("when_supported", True)])
def test_the_documented_settings_for_oss_use_host_names_and_no_trailing_checksums(
    checksums: str | None, trailers: bool, monkeypatch: pytest.MonkeyPatch
):
    """docs/operating.md; over TLS boto3 would send trailers by itself."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    chosen = {} if checksums is None else {"s3_checksums": checksums}
    settings = Settings.model_validate(
        {
            "storage_url": "s3://lectures/prefix",
            "s3_endpoint_url": "https://s3.oss-cn-hangzhou.aliyuncs.com",
            "s3_region": "cn-hangzhou",
            "s3_addressing_style": "virtual",
            **chosen,
        }
    )
    storage = open_storage(settings, KeyRing("s" * 32))
    assert isinstance(storage, S3Storage)
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict({"ETag": '"x"'}), Answer())

    storage.client.meta.events.register("before-send.s3", answer)  # type: ignore[arg-type]
    storage.put("media/x", b"body", content_type="text/plain")
    [request] = sent
    assert ("x-amz-trailer" in request.headers) is trailers
    assert ("aws-chunked" in str(request.headers.get("Content-Encoding"))) is trailers
    addresses = [
        request.url,
        storage.signed_url("media/x", expires_in=60),
        storage.sign_part("recordings/x/source", "upload", 1, expires_in=60).url,
    ]
    for address in addresses:
        assert address.startswith("https://lectures.s3.oss-cn-hangzhou.aliyuncs.com/prefix/")
