"""The ends of recordings without their middles."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.storage.disk import DiskStorage
from tests import footage as films
from tests.fixtures_footage import Footage
from tests.transcoding.test_sources import FailingDisk
from transcoding import probe, sources, tail
from transcoding.libav import ends
from transcoding.range_reader import BLOCK

SMALL = (16 << 10, 128 << 10, 400 << 10)


def fetch_of(data: bytes) -> tail.Fetch:
    return lambda start, end: data[start:end]


@pytest.mark.parametrize(
    ("kind", "container"),
    [("media_recorder", "matroska,webm"), ("mkv", "matroska,webm"), ("fragmented", "mov,mp4,m4a")],
)
def test_header_and_tail_play_like_the_end_of_the_whole(
    kind: str, container: str, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "WINDOWS", SMALL)
    data = footage(kind, duration=8).read_bytes()
    stand_ins = list(tail.ends(fetch_of(data), len(data), container))
    assert stand_ins
    with av.open(io.BytesIO(data), "r") as whole, av.open(stand_ins[-1], "r") as end:
        expected = ends.last_times(whole, {0, 1})
        assert ends.last_times(end, {0, 1}) == pytest.approx(expected, abs=0.001)
    assert len(stand_ins[-1].read(1 << 30)) == 0


@pytest.mark.parametrize("kind", ["lecture", "mpegts", "wav"])
def test_other_containers_have_no_stand_in(kind: str, footage: Footage) -> None:
    data = footage(kind).read_bytes()
    names = {"lecture": "mov,mp4,m4a", "mpegts": "mpegts", "wav": "wav"}
    assert list(tail.ends(fetch_of(data), len(data), names[kind])) == []


@pytest.mark.parametrize(
    ("muxer", "options"),
    [
        ("matroska", []),
        ("mp4", ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]),
    ],
)
def test_the_end_of_a_recording_without_an_index_is_found_without_reading_it(
    muxer: str,
    options: list[str],
    footage: Footage,
    tmp_path: Path,
    disk_storage: DiskStorage,
) -> None:
    base = footage("lecture", duration=5, size="1280x720")
    path = tmp_path / "long"
    again = ["-stream_loop", "15", "-i", str(base), "-c", "copy", *options]
    films.ffmpeg(*again, "-f", muxer, "pipe:1", into=path)
    size = path.stat().st_size
    disk_storage.put("recordings/long/source", path, content_type="video/mp4")
    storage = FailingDisk(disk_storage)
    with sources.open_source(storage, "recordings/long/source") as source:  # type: ignore[arg-type]
        found = probe.inspect(source, filename="x")
    assert found.duration == pytest.approx(80, abs=0.5)
    assert found.findings == []
    assert len(storage.asked) * BLOCK < size / 2


def test_a_recording_that_broke_off_is_measured_at_its_end(
    footage: Footage, tmp_path: Path
) -> None:
    path = tmp_path / "long.mkv"
    base = footage("lecture", duration=5, size="1280x720")
    films.ffmpeg("-stream_loop", "3", "-i", base, "-c", "copy", path)
    films.cut(path, 0.7)
    found = probe.inspect(sources.of_file(path), filename="x")
    assert found.duration == pytest.approx(14, abs=1)
    assert {finding.code for finding in found.findings} == {"truncated"}


def test_the_mark_of_a_cluster_within_a_picture_is_no_cluster() -> None:
    real = tail.CLUSTER_MARK + b"\x01\x00\x00\x00\x00\x00\x10\x00" + b"\xe7\x81\x05"
    assert tail.first_whole(b"xx" + tail.CLUSTER_MARK + b"\xff\xff" + real, tail.CLUSTER_MARK) == 8
    assert tail.first_whole(b"moofmoof" + bytes(20), b"moof") is None


@given(st.integers(1, 8), st.integers(0, 2**56 - 2))
def test_sizes_are_read_as_they_are_written(count: int, value: int) -> None:
    value %= (1 << 7 * count) - 1
    written = (value | 1 << 7 * count).to_bytes(count, "big")
    assert tail.vint(b"xy" + written, 2) == (value, count)
    unknown = ((1 << 7 * count + 1) - 1).to_bytes(count, "big")
    assert tail.vint(unknown, 0) == (None, count)


@given(st.binary(max_size=300))
def test_rubbish_is_no_recording_and_never_an_endless_loop(data: bytes) -> None:
    fetch = fetch_of(data)
    tail.first_cluster(fetch, len(data))
    tail.first_fragment(fetch, len(data))
    assert all(end > at for _, at, end in tail.boxes(fetch, len(data)))


@given(st.lists(st.tuples(st.sampled_from(["read", "seek", "end"]), st.integers(0, 60))))
def test_a_stand_in_reads_like_a_file(steps: list[tuple[str, int]]) -> None:
    content = bytes(range(50))
    mine, real = tail.Spliced(content[:20], content[20:]), io.BytesIO(content)
    for step, number in steps:
        if step == "read":
            assert mine.read(number) == real.read(number)
        elif step == "seek":
            assert mine.seek(number) == real.seek(number)
        else:
            assert mine.seek(-min(number, 50), 2) == real.seek(-min(number, 50), 2)
        assert mine.tell() == real.tell()
