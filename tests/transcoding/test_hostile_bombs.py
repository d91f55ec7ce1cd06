"""Files that promise or demand absurd amounts of something cost a process within limits, and a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from academy.errors import RejectedMedia
from academy.recordings import Inspection
from tests.fixtures_footage import Footage
from tests.footage import H264, ffmpeg
from transcoding import probe, sources
from transcoding.binary import FFmpeg
from transcoding.ffmpeg import LimitExceeded, Limits, run
from transcoding.ladder import frame_rate
from transcoding.profiles import FrameRates
from transcoding.refusals import LONGEST

pytestmark = pytest.mark.real

SHORT = Limits(wall_seconds=60, cpu_seconds=4, output_bytes=1 << 20, memory_bytes=1 << 30)


def judged(path: Path, limits: Limits = SHORT) -> Inspection | str:
    """The inspection, or the code of the refusal, whose sentence names the file."""
    try:
        return probe.inspect(sources.of_file(path), filename="Lecture 1.mp4", limits=limits)
    except RejectedMedia as refused:
        if "“Lecture 1.mp4”" not in refused.message:
            pytest.fail(refused.message)
        return refused.code


def lying(recording: Path, to: Path, box: bytes, at: int, value: int) -> Path:
    """The recording with a 32-bit number of one kind of box replaced."""
    data = bytearray(recording.read_bytes())
    found = data.find(box)
    assert found >= 0
    while found >= 0:
        struct.pack_into(">I", data, found + at, value)
        found = data.find(box, found + 4)
    to.write_bytes(data)
    return to


def chunk(name: bytes, content: bytes) -> bytes:
    """Of a PNG file."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One black picture of 4500 by 4500, in colours of 48 bits: a file of kilobytes, 120 MB in memory."""
    folder = tmp_path_factory.mktemp("bomb")
    side = 4500
    rows = zlib.compressobj(1)
    pixels = b"".join(rows.compress(bytes(side * 6 + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    picture = folder / "x.png"
    picture.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    path = folder / "x.mkv"
    ffmpeg("-i", picture, "-c", "copy", path)
    return path


@pytest.mark.parametrize(("box", "at"), [(b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)])
def test_a_duration_of_weeks_is_not_believed(
    box: bytes, at: int, footage: Footage, tmp_path: Path
) -> None:
    seen = judged(lying(footage("lecture"), tmp_path / "x.mp4", box, at, 0xFFFFFF00))
    if isinstance(seen, Inspection):
        assert seen.duration < 7
    else:
        assert seen in {"truncated", "unreadable_media"}


@pytest.mark.parametrize(
    ("box", "at", "value"),
    [
        pytest.param(b"mdhd", 16, 0xFFFFFFFF, id="ticks"),
        pytest.param(b"mdhd", 16, 0, id="no-ticks"),
        pytest.param(b"stts", 8, 0xFFFFFFFF, id="times"),
        pytest.param(b"stsz", 12, 0xFFFFFFFF, id="samples"),
        pytest.param(b"stsc", 8, 0xFFFFFFFF, id="chunks"),
        pytest.param(b"stco", 8, 0xFFFFFFFF, id="offsets"),
        pytest.param(b"avc1", 28, 0xFFFFFFFF, id="dimensions"),
    ],
)
def test_absurd_numbers_in_the_index_cost_nothing(
    box: bytes, at: int, value: int, footage: Footage, tmp_path: Path
) -> None:
    seen = judged(lying(footage("lecture"), tmp_path / "x.mp4", box, at, value))
    if isinstance(seen, Inspection):
        assert seen.duration < LONGEST
        assert seen.video is None or max(seen.video.width, seen.video.height) <= 8192
        assert seen.video is None or 0 < seen.video.frame_rate.fraction <= 1000
    else:
        assert seen in {
            "truncated",
            "unreadable_media",
            "too_short",
            "too_large_picture",
            "too_long",
        }


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"], ids=["milliseconds", "exact-times"])
def test_frames_by_the_ten_thousand_per_second_count_as_a_thousand_and_become_sixty(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10000:d=0.6", *H264, path)
    seen = judged(path)
    assert isinstance(seen, Inspection)
    assert seen.video is not None
    assert seen.video.frame_rate.fraction == 1000
    assert not seen.video.variable_frame_rate
    assert "high_frame_rate" in {finding.code for finding in seen.findings}
    assert frame_rate(seen.video.frame_rate.fraction, FrameRates()) == 60


def test_a_small_file_that_lasts_longer_than_half_a_day_is_no_lecture(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    ffmpeg("-f", "lavfi", "-i", f"color=s=64x64:r=1/60:d={LONGEST + 300}", *H264, path)
    assert path.stat().st_size < 100_000
    assert judged(path) == "too_long"


def test_a_small_file_that_unpacks_to_gigabytes_is_stopped_at_its_memory_limit(
    bomb: Path, ffmpeg: FFmpeg
) -> None:
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(LimitExceeded) as stopped:
        run(
            [ffmpeg.path, *sources.of_file(bomb).input_args(), "-f", "null", "-"],
            limits=Limits(60, memory_bytes=80 << 20),
        )
    assert stopped.value.limit == "memory"


def test_inspecting_what_needs_too_much_memory_refuses_it(bomb: Path) -> None:
    tight = Limits(60, cpu_seconds=30, output_bytes=1 << 20, memory_bytes=80 << 20)
    assert judged(bomb, tight) == "unreadable_media"


@pytest.mark.parametrize(
    "name",
    [
        *("lecture-%03d.mp4", "concat:a|b.mp4", "-i", "file:x.mp4", "http:x", "pipe:0"),
        *(
            "a\nb.mp4",
            "a'b\"c`d.mp4",
            "x\x07\x1b[31m.mp4",
            "讲座 1.mp4",
            "*.mp4",
            "subfile,,start,0,,:x",
        ),
    ],
)
def test_names_are_only_names(name: str, footage: Footage, tmp_path: Path, ffmpeg: FFmpeg) -> None:
    path = tmp_path / name
    path.write_bytes(footage("lecture", duration=1).read_bytes())
    source = sources.of_file(path)
    seen = probe.inspect(source, filename=name)
    assert seen.duration == pytest.approx(1, abs=0.1)
    made = run(
        [ffmpeg.path, *source.input_args(), "-frames:v", "2", "-f", "null", "-"], limits=SHORT
    )
    assert made.progress.frame == 2
