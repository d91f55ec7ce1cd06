"""A recording in storage, as ffmpeg and libav get to read it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.errors import ObjectNotFound, RejectedMedia, Transient, Unavailable
from academy.object_stores import ObjectInfo
from academy.storage.disk import DiskStorage
from academy.storage.s3 import S3Storage
from tests.fixtures_footage import Footage
from transcoding import probe, range_reader, sources
from transcoding.binary import FFmpeg
from transcoding.ffmpeg import EncodingFailed, Limits, run
from transcoding.range_reader import BLOCK, RangeReader, byte_range

KEY = "recordings/abc/source"


class FailingDisk:
    """A real disk storage without local paths, which fails as often as told and counts what it is asked."""

    def __init__(self, inner: DiskStorage, failures: int = 0) -> None:
        self.inner, self.failures = inner, failures
        self.asked: list[tuple[int, int | None]] = []

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        self.asked.append((start, end))
        if self.failures:
            self.failures -= 1
            raise Unavailable("The storage is having a rest.")
        return self.inner.read(key, start=start, end=end)

    def stat(self, key: str) -> ObjectInfo:
        return self.inner.stat(key)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_reader, "PAUSES", (0.0, 0.0))


def stored(storage: DiskStorage | S3Storage, path: Path) -> None:
    storage.put(KEY, path, content_type="video/mp4")


def frames(ffmpeg: FFmpeg, source: sources.Source) -> int:
    command = [ffmpeg.path, *source.input_args(), "-map", "0:v", "-f", "null", "-"]
    return run(command, limits=Limits(60)).progress.frame


def test_a_local_object_is_read_from_its_path(
    disk_storage: DiskStorage, footage: Footage, ffmpeg: FFmpeg
) -> None:
    stored(disk_storage, footage("lecture"))
    with sources.open_source(disk_storage, KEY) as source:
        assert source.url.startswith("file:/")
        assert source.options["protocol_whitelist"] == "file"
        assert source.size == footage("lecture").stat().st_size
        assert source.fetch(4, 8) == b"ftyp"
        assert frames(ffmpeg, source) == 180


@pytest.mark.parametrize("kind", ["moov_at_end", "media_recorder"])
def test_an_object_in_a_bucket_is_read_through_loopback(
    kind: str, s3_storage: S3Storage, footage: Footage, ffmpeg: FFmpeg
) -> None:
    path = footage(kind)
    stored(s3_storage, path)
    local = probe.inspect(sources.of_file(path), filename="x")
    with sources.open_source(s3_storage, KEY) as source:
        assert source.url.startswith("http://127.0.0.1:")
        assert source.options["protocol_whitelist"] == "http,tcp"
        assert source.fetch(0, source.size) == path.read_bytes()
        assert probe.inspect(source, filename="x") == local
        assert frames(ffmpeg, source) == 180
        assert source.trouble() is None


def test_ffmpeg_seeks_through_the_reader(
    s3_storage: S3Storage, footage: Footage, ffmpeg: FFmpeg
) -> None:
    stored(s3_storage, footage("lecture"))
    with sources.open_source(s3_storage, KEY) as source:
        command = [ffmpeg.path, "-ss", "4", *source.input_args(), "-map", "0:v", "-f", "null", "-"]
        assert run(command, limits=Limits(60)).progress.frame == 60


@pytest.mark.parametrize("name", ["disk_storage", "s3_storage"])
def test_a_missing_object_is_not_found(name: str, request: pytest.FixtureRequest) -> None:
    storage = request.getfixturevalue(name)
    with pytest.raises(ObjectNotFound), sources.open_source(storage, "recordings/none/source"):
        pass


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RejectedMedia):
        sources.of_file(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_storage_that_pauses_is_asked_again(
    disk_storage: DiskStorage, footage: Footage, ffmpeg: FFmpeg
) -> None:
    stored(disk_storage, footage("lecture"))
    storage = FailingDisk(disk_storage, failures=2)
    with sources.open_source(storage, KEY) as source:  # type: ignore[arg-type]
        assert frames(ffmpeg, source) == 180
        assert source.trouble() is None


@pytest.mark.usefixtures("quick")
def test_a_storage_that_stays_away_is_named_and_may_pass(
    disk_storage: DiskStorage, footage: Footage, ffmpeg: FFmpeg
) -> None:
    stored(disk_storage, footage("lecture"))
    storage = FailingDisk(disk_storage)
    with sources.open_source(storage, KEY) as source:  # type: ignore[arg-type]
        source.fetch(0, 10)
        storage.failures = 1000
        with RangeReader(storage, KEY, source.size) as reader:  # type: ignore[arg-type]
            broken = sources.Source(
                reader.url, source.size, ("http", "tcp"), source.fetch, reader.trouble
            )
            with pytest.raises(EncodingFailed):
                frames(ffmpeg, broken)
            assert reader.trouble() == "The storage is having a rest."
            with pytest.raises(Transient):
                probe.inspect(broken, filename="x.mp4")


def test_sequential_reading_fetches_ahead_and_each_block_once(
    disk_storage: DiskStorage,
) -> None:
    content = bytes(range(256)) * (6 * BLOCK // 256) + b"end"
    disk_storage.put(KEY, content, content_type="video/mp4")
    storage = FailingDisk(disk_storage)
    with RangeReader(storage, KEY, len(content)) as reader:  # type: ignore[arg-type]
        assert reader.fetch(0, len(content)) == content
        assert reader.fetch(BLOCK - 3, BLOCK + 3) == content[BLOCK - 3 : BLOCK + 3]
    assert sorted(start for start, _ in storage.asked) == [n * BLOCK for n in range(7)]


def ask(
    url: str, method: str = "GET", path: str | None = None, **headers: str
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, path or parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_reader_answers_only_at_its_unguessable_address(disk_storage: DiskStorage) -> None:
    disk_storage.put(KEY, b"0123456789", content_type="video/mp4")
    with RangeReader(disk_storage, KEY, 10) as reader:
        assert len(urlsplit(reader.url).path) == 33
        assert ask(reader.url) == (200, b"0123456789")
        assert ask(reader.url, "HEAD") == (200, b"")
        assert ask(reader.url, Range="bytes=2-4") == (206, b"234")
        assert ask(reader.url, Range="bytes=7-") == (206, b"789")
        assert ask(reader.url, Range="bytes=-3") == (206, b"789")
        assert ask(reader.url, Range="bytes=10-")[0] == 416
        assert ask(reader.url, path="/") == (404, b"")
        assert ask(reader.url, path="/" + "0" * 32) == (404, b"")
        assert ask(reader.url, "POST")[0] == 501
        url = reader.url
    with pytest.raises(OSError, match="refused"):
        ask(url)


@given(
    size=st.integers(1, 50),
    first=st.none() | st.integers(0, 60),
    last=st.none() | st.integers(0, 60),
)
def test_ranges_are_those_of_rfc_9110(size: int, first: int | None, last: int | None) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    content = bytes(range(size))
    if first is None and last is None:
        expected = b""
    elif first is None:
        expected = content[max(0, size - (last or 0)) :]
    else:
        expected = content[first : size if last is None else last + 1]
    found = byte_range(header, size)
    assert (content[found[0] : found[1]] if found else b"") == expected


def test_what_is_no_single_range_cannot_be_satisfied() -> None:
    assert byte_range(None, 5) == (0, 5)
    for header in ("bytes=0-1,3-4", "lines=1-2", "bytes=a-b", ""):
        assert byte_range(header, 5) is None
