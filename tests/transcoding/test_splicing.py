"""Recordings without an index, read from their middle out of storage that only gives ranges."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from academy.recordings import Inspection
from tests.encoder import encoder
from tests.footage import AAC, ffmpeg
from transcoding import loudness, probe, sampling, sources
from transcoding.range_reader import RangeReader
from transcoding.sources import Source
from transcoding.splicing import near

pytestmark = pytest.mark.real

LOSSLESS = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-g", "20"]
WAYS = {
    "matroska": [*LOSSLESS, *AAC, "-f", "matroska"],
    "matroska that starts late": [*LOSSLESS, *AAC, "-output_ts_offset", "7.3", "-f", "matroska"],
    "fragments": [
        *LOSSLESS,
        *AAC,
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof",
        "-f",
        "mp4",
    ],
    "fragments with B frames": [
        *(*LOSSLESS, "-bf", "2", *AAC),
        *("-movflags", "+frag_keyframe+delay_moov+default_base_moof", "-f", "mp4"),
    ],
}
RATE = 10


@dataclass
class Remote:
    """One file as a bucket would give it; counts what was asked for."""

    path: Path
    given: int = 0
    inspection: Inspection = field(init=False)

    def __post_init__(self) -> None:
        self.inspection = probe.inspect(sources.of_file(self.path), filename="x")

    def stat(self, key: str) -> Any:
        return SimpleNamespace(size=self.path.stat().st_size)

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        data = self.path.read_bytes()[start:end]
        self.given += len(data)
        yield data


def pictures(source: Source, at: int) -> list[bytes]:
    """Checksums of four seconds of frames, with their times, as a chunk would get them."""
    given = [
        [f"-{name}", *([] if value is None else [str(value)])]
        for name, value in (source.options | source.reading_from(Fraction(at))).items()
    ]
    command = [
        *(
            encoder().path,
            "-v",
            "error",
            "-nostdin",
            *(word for each in given for word in each),
        ),
        *("-i", source.url, "-an", "-vf", f"fps={RATE}:start_time={at},trim=end_frame={4 * RATE}"),
        *("-f", "framecrc", "-"),
    ]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith(b"#")]


@pytest.fixture(scope="module", params=WAYS)
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    path = tmp_path_factory.mktemp("unindexed") / "recording"
    picture = f"testsrc2=s=160x90:r={RATE}:d=40,noise=alls=60:allf=t"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=f=440:d=40"]
    ffmpeg(*inputs, *WAYS[request.param], "pipe:1", into=path)
    return Remote(path)


@pytest.mark.parametrize("at", [0, 8, 36])
def test_a_chunk_from_the_middle_has_the_frames_it_has_on_this_machine(
    remote: Remote, at: int
) -> None:
    local = sources.of_file(remote.path)
    with RangeReader(remote, "k", local.size) as reader:  # type: ignore[arg-type]
        whole = Source(reader.url, local.size, ("http", "tcp"), reader.fetch, view=reader.view)
        spliced = near(whole, remote.inspection, Fraction(at), picture=True)
        assert spliced.origin == remote.inspection.start
        assert pictures(spliced, at) == pictures(local, at)
        if at == 36:
            assert spliced.size < local.size / 2
        heard = near(whole, remote.inspection, Fraction(at), picture=False)
        assert heard.origin is not None


def test_planning_sees_there_what_it_sees_here(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loudness, "stretches", lambda length: [(length / 2, 2.0), (1.0, 2.0)])
    inspection, program = remote.inspection, encoder().path
    assert inspection.audio is not None
    here = sources.of_file(remote.path)
    with RangeReader(remote, "source", here.size) as reader:  # type: ignore[arg-type]
        there = Source(
            reader.url, here.size, ("http", "tcp"), reader.fetch, reader.trouble, reader.view
        )
        content = sampling.look(program, there, inspection, [180, 90])
        heard = loudness.measure(there, inspection.audio, inspection, channels=1)
    alike = sampling.look(program, here, inspection, [180, 90])
    assert content is not None
    assert alike is not None
    assert content.need == pytest.approx(alike.need, rel=0.25)
    same = loudness.measure(here, inspection.audio, inspection, channels=1)
    assert heard is not None
    assert same is not None
    assert heard.loudness == pytest.approx(same.loudness, abs=1.0)


def test_what_has_an_index_or_lies_here_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "indexed.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=160x90:r={RATE}:d=6", *LOSSLESS, path)
    remote = Remote(path)
    local = sources.of_file(path)
    assert near(local, remote.inspection, Fraction(4), picture=True) is local
    with RangeReader(remote, "k", local.size) as reader:  # type: ignore[arg-type]
        whole = Source(reader.url, local.size, ("http", "tcp"), reader.fetch, view=reader.view)
        assert near(whole, remote.inspection, Fraction(4), picture=True) is whole


def test_fragments_and_noise_that_only_look_right_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "fragmented.mp4"
    flags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4", "pipe:1"]
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=160x90:r={RATE}:d=6", *LOSSLESS, *flags, into=path)
    remote = Remote(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"mvex")
    data[at : at + 4] = b"free"
    path.write_bytes(data)
    local = sources.of_file(path)
    with RangeReader(remote, "k", local.size) as reader:  # type: ignore[arg-type]
        whole = Source(reader.url, local.size, ("http", "tcp"), reader.fetch, view=reader.view)
        assert near(whole, remote.inspection, Fraction(4), picture=True) is whole
