"""ffmpeg itself under the runner: progress, output, failures and their kinds."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from pathlib import Path

import pytest

from academy.jobs import FailureKind
from tests.fixtures_footage import Footage
from transcoding import process
from transcoding.binary import STALLS, FFmpeg
from transcoding.ffmpeg import (
    TAIL_LINES,
    Cancelled,
    EncodingFailed,
    LimitExceeded,
    Limits,
    Progress,
    _Meter,
    _Tail,
    capture,
    complete,
    failure,
    run,
    run_async,
)

AMPLE = Limits(wall_seconds=60)
CARD = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2"]
ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=30"]


def test_frames_are_counted_to_the_last_one(ffmpeg: FFmpeg) -> None:
    seen: list[Progress] = []
    ended = run([ffmpeg.path, *CARD, "-f", "null", "-"], limits=AMPLE, on_progress=seen.append)
    assert ended.progress.frame == 60
    assert ended.progress.ended
    assert seen[-1] == ended.progress
    assert ended.complaints == 0
    assert ended.cpu_seconds > 0


def test_raw_frames_stream_through_standard_output(ffmpeg: FFmpeg) -> None:
    raw = ["-frames:v", "10", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    assert len(capture([ffmpeg.path, *CARD, *raw], limits=AMPLE)) == 10 * 320 * 180


def test_damage_in_the_source_is_counted_although_ffmpeg_succeeds(
    ffmpeg: FFmpeg, footage: Footage
) -> None:
    ended = run(
        [ffmpeg.path, "-i", str(footage("damaged")), "-map", "0:v", "-f", "null", "-"], limits=AMPLE
    )
    assert ended.complaints > 0
    assert ended.tail


def test_files_can_be_read_while_they_grow(ffmpeg: FFmpeg, tmp_path: Path) -> None:
    """An endless recording: only somebody who saw it grow ends it."""
    out = tmp_path / "out.ts"
    sizes = {0}

    def look() -> None:
        sizes.add(out.stat().st_size if out.exists() else 0)

    options = ["-c:v", "mpeg2video", "-b:v", "4M", "-flush_packets", "1"]
    with pytest.raises(Cancelled):
        run(
            [ffmpeg.path, *ENDLESS, *options, str(out)],
            limits=AMPLE,
            on_tick=look,
            cancelled=lambda: len(sizes) > 2,
        )


def test_a_wrong_command_is_a_bug_and_keeps_what_ffmpeg_said(ffmpeg: FFmpeg) -> None:
    with pytest.raises(EncodingFailed) as failed:
        run([ffmpeg.path, *CARD, "-c:v", "no-such-encoder", "-f", "null", "-"], limits=AMPLE)
    assert failed.value.kind is FailureKind.BUG
    assert "no-such-encoder" in failed.value.detail
    assert failed.value.status


def test_an_unreadable_input_is_the_sources_fault(ffmpeg: FFmpeg, footage: Footage) -> None:
    with pytest.raises(EncodingFailed) as failed:
        run([ffmpeg.path, "-i", str(footage("noise")), "-f", "null", "-"], limits=AMPLE)
    assert failed.value.kind is FailureKind.SOURCE


def test_a_full_disk_may_pass(ffmpeg: FFmpeg) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(EncodingFailed) as failed:
        run([ffmpeg.path, "-y", *CARD, "-f", "rawvideo", "/dev/full"], limits=AMPLE)
    assert failed.value.kind is FailureKind.TRANSIENT


def test_ffmpeg_killed_from_outside_may_pass(ffmpeg: FFmpeg) -> None:
    ending = process.Ending(-9, None, 1, 1, 1)
    assert failure(ending, "", AMPLE).kind is FailureKind.TRANSIENT
    lost = process.Ending(-9, None, 0, 0, 1, lost=True)
    assert failure(lost, "", AMPLE).kind is FailureKind.TRANSIENT


@pytest.mark.parametrize(
    ("limits", "limit", "kind"),
    [
        (Limits(0.5), "wall", FailureKind.TRANSIENT),
        (Limits(60, output_bytes=100_000), "output", FailureKind.BUG),
        (Limits(60, memory_bytes=96 << 20), "memory", FailureKind.BUG),
    ],
)
def test_limits_are_named(
    limits: Limits, limit: str, kind: FailureKind, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    large = ["-f", "lavfi", "-i", "color=s=7680x4320:r=30,format=yuv444p"]
    endless = [*large, "-f", "rawvideo", str(tmp_path / "out")]
    if limit == "memory" and STALLS in ffmpeg.lacking:
        pytest.skip(f"ffmpeg {ffmpeg.version} lacks {STALLS}")
    if limit == "wall":
        endless = [*ENDLESS, "-f", "null", "-"]
    with pytest.raises(LimitExceeded) as exceeded:
        run([ffmpeg.path, *endless], limits=limits)
    assert exceeded.value.limit == limit
    assert exceeded.value.kind is kind


def test_cancelling_ends_ffmpeg(ffmpeg: FFmpeg) -> None:
    with pytest.raises(Cancelled):
        run([ffmpeg.path, *ENDLESS, "-f", "null", "-"], limits=AMPLE, cancelled=lambda: True)


async def test_cancelling_the_task_ends_ffmpeg_before_it_returns(ffmpeg: FFmpeg) -> None:
    """ffmpeg writes to a pipe: its writing end is closed once ffmpeg is gone."""
    growing = threading.Event()
    pieces: list[int] = []

    def receive(piece: bytes) -> None:
        pieces.append(len(piece))
        growing.set()

    raw = ["-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
    work = asyncio.create_task(
        run_async([ffmpeg.path, *ENDLESS, *raw], limits=AMPLE, on_stdout=receive)
    )
    assert await asyncio.to_thread(growing.wait, 60)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    count = len(pieces)
    await asyncio.sleep(0.2)
    assert len(pieces) == count


async def test_the_asynchronous_runner_gives_the_same_answer(ffmpeg: FFmpeg) -> None:
    ended = await run_async([ffmpeg.path, *CARD, "-f", "null", "-"], limits=AMPLE)
    assert ended.progress.frame == 60


def test_failures_survive_the_way_back_from_a_worker() -> None:
    ending = process.Ending(3, "cpu", 1, 1, 1)
    sent = failure(ending, "the tail", Limits(1))
    got = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    assert isinstance(got, LimitExceeded)
    assert (got.limit, got.kind, got.detail, got.status) == ("cpu", FailureKind.BUG, "the tail", 3)


def test_the_tail_is_short_however_much_was_said() -> None:
    tail = _Tail()
    for number in range(1000):
        tail(b"line %d\n" % number)
    tail(b"x" * 5_000_000)
    tail(b"y" * 5_000_000)
    text = tail.text()
    assert len(text.splitlines()) == TAIL_LINES
    assert "line 999" in text
    assert len(text) < 2000


def test_lines_that_arrive_in_pieces_are_joined() -> None:
    tail = _Tail()
    for piece in (b"one", b" line\nano", b"ther", b"\n\nlast"):
        tail(piece)
    assert tail.text() == "one line\nanother\nlast"
    assert tail.count == 3


def test_progress_that_arrives_in_pieces_is_read_whole() -> None:
    seen: list[Progress] = []
    meter = _Meter(seen.append)
    block = b"frame=12\nfps=0.0\ntotal_size=48\nout_time_us=N/A\nspeed=1.5x\nprogress=continue\n"
    for at in range(len(block)):
        meter(block[at : at + 1])
    meter(b"frame=13\nout_time_us=2500000\nspeed=N/A\nprogress=end\n")
    assert seen == [
        Progress(frame=12, bytes=48, speed=1.5),
        Progress(frame=13, seconds=2.5, ended=True),
    ]


def test_a_command_gets_progress_and_no_terminal() -> None:
    whole = complete(["/bin/ffmpeg", "-i", "x", "out.mp4"])
    assert whole[0] == "/bin/ffmpeg"
    assert whole[-3:] == ["-i", "x", "out.mp4"]
    assert {"-nostdin", "-progress", "pipe:3", "error"} <= set(whole)
    assert complete(["ffmpeg", "-v", "quiet"]).count("-v") == 1
    assert os.path.basename(whole[0]) == "ffmpeg"  # noqa: PTH119
