from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import m3u8
import pytest

from academy.errors import Invalid, RejectedMedia
from academy.jobs import Progress
from academy.media import INIT, Receipt
from tests import footage as maker
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import pictures, samples
from transcoding.binary import FFmpeg
from transcoding.fragments import FragmentReader
from transcoding.local import transcode_file

ROOT = Path(__file__).parents[2]


def joined(out: Path, playlist: str) -> bytes:
    """What a player of this media playlist would append."""
    loaded = m3u8.load(str(out / "r1" / playlist))
    assert loaded.is_endlist
    names = [loaded.segment_map[0].uri, *(segment.uri for segment in loaded.segments)]
    return b"".join((out / "r1" / name).resolve().read_bytes() for name in names)


def codes(summary: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in summary["findings"]}


async def test_a_recording_becomes_a_lecture_in_a_folder(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    heard: list[Progress] = []
    out = tmp_path / "out"
    summary = await transcode_file(
        footage("lecture"), out, profile=tiny_file, workers=2, on_progress=heard.append
    )
    assert [each["id"] for each in summary["renditions"]] == ["v180", "v90", "a96"]
    assert summary["duration"] == 6.0
    # As a player that this project did not write reads the whole of it.
    counts: Counter[str] = Counter()
    with av.open(str(out / summary["hls"]), mode="r") as container:
        for packet in container.demux():
            for frame in packet.decode():
                counts[packet.stream.type] += getattr(frame, "samples", 1)
    # The sound twice: beside the pictures, and as a variant without any.
    assert counts == {"video": 2 * 180, "audio": 2 * 281 * 1024}
    assert len(pictures(joined(out, "v180.m3u8"))) == 180
    assert len(pictures(joined(out, "v90.m3u8"))) == 180
    starts = [
        [fragment.decode_time for fragment in FragmentReader().feed(joined(out, name))]
        for name in ("v180.m3u8", "v90.m3u8")
    ]
    assert starts[0] == starts[1] == [n * 30 * 334 for n in range(6)]
    assert len(samples(joined(out, "a96.m3u8"))[0]) == 281 * 1024
    assert (out / summary["dash"]).is_file()
    assert (out / summary["poster"]).read_bytes()[:2] == b"\xff\xd8"
    assert (out / summary["storyboard"]).read_text().startswith("WEBVTT")
    # Nothing but what a web server should serve.
    assert sorted(path.name for path in out.iterdir()) == ["a96", "r1", "v180", "v90"]
    stages = [progress.stage for progress in heard]
    assert stages[:2] == ["inspecting", "planning"]
    assert stages[-1] == "publishing"
    fractions = [progress.fraction for progress in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize("rate", ["30", "30000/1001"])
async def test_picture_and_sound_stay_together_from_start_to_end(
    rate: str, footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    # A flash and a beep each second: at every seam of segments, chunks and stretches.
    path = footage("flash_and_beep", duration=8, rate=rate)
    await transcode_file(path, tmp_path, profile=tiny_file, workers=2)
    frames = pictures(joined(tmp_path, "v90.m3u8"))
    flashes = [b.time for a, b in pairwise(frames) if a.brightness < 100 <= b.brightness]
    left = samples(joined(tmp_path, "a64.m3u8"))[0]
    beeps: list[float] = []
    for at in range(0, len(left), 48):
        if max(map(abs, left[at : at + 48])) > 0.1 and (not beeps or at / 48_000 > beeps[-1] + 0.5):
            beeps.append(at / 48_000)
    assert len(flashes) == len(beeps) == 7
    assert all(abs(flash - beep) < 0.020 for flash, beep in zip(flashes, beeps, strict=True))
    assert all(abs(beep - second) < 0.005 for second, beep in enumerate(beeps, 1))


async def test_a_recording_without_sound_has_no_audio_group(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(footage("no_audio"), tmp_path, profile=tiny_file)
    assert [each["id"] for each in summary["renditions"]] == ["v180", "v90"]
    assert "EXT-X-MEDIA:TYPE=AUDIO" not in (tmp_path / summary["hls"]).read_text()
    assert len(pictures(joined(tmp_path, "v90.m3u8"))) == 180


async def test_sound_alone_is_a_lecture_too(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(footage("mp3"), tmp_path, profile=tiny_file)
    assert [each["id"] for each in summary["renditions"]] == ["a96"]
    assert (tmp_path / summary["poster"]).is_file()
    assert len(samples(joined(tmp_path, "a96.m3u8"))[0]) == pytest.approx(6 * 48_000, abs=1024)


async def test_sound_that_goes_on_holds_the_last_picture(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(footage("long_audio"), tmp_path, profile=tiny_file)
    assert summary["duration"] == pytest.approx(7.0, abs=0.05)
    frames = pictures(joined(tmp_path, "v90.m3u8"))
    assert len(frames) == round(summary["duration"] * 30)
    assert frames[125].luma != frames[100].luma
    assert abs(frames[205].brightness - frames[130].brightness) < 1
    assert "truncated" not in codes(summary)


@pytest.mark.parametrize("kind", ["truncated_mp4", "truncated_mkv", "zero_tail"])
async def test_a_file_that_breaks_off_is_published_as_far_as_it_goes(
    kind: str, footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(footage(kind), tmp_path, profile=tiny_file)
    assert 2.5 < summary["duration"] < 5
    assert len(pictures(joined(tmp_path, "v90.m3u8"))) == round(summary["duration"] * 30)
    assert "truncated" in codes(summary)


async def test_damage_in_the_middle_is_published_with_a_warning(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    summary = await transcode_file(footage("damaged"), tmp_path, profile=tiny_file)
    assert len(pictures(joined(tmp_path, "v90.m3u8"))) == 180
    assert "damaged" in codes(summary)


async def test_what_is_not_media_is_refused_with_a_sentence(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    with pytest.raises(RejectedMedia, match="text"):
        await transcode_file(footage("text"), tmp_path, profile=tiny_file)
    with pytest.raises(Invalid, match="There is no file"):
        await transcode_file(tmp_path / "nothing.mp4", tmp_path, profile=tiny_file)


COMMAND = """
import asyncio, sys
from pathlib import Path
from transcoding.local import transcode_file
asyncio.run(transcode_file(Path(sys.argv[1]), Path(sys.argv[2]), profile=sys.argv[3], workers=2))
"""


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
        await asyncio.sleep(0.02)


def receipts(out: Path) -> list[Receipt]:
    path = out / ".academy/receipts"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Receipt.model_validate_json(line) for line in lines]


@pytest.mark.journey
async def test_a_killed_run_goes_on_without_encoding_anything_twice(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    path, out = footage("lecture", duration=40), tmp_path / "out"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, str(path), str(out), tiny_file), cwd=ROOT
    )
    await until(lambda: len(receipts(out)) >= 12)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    left = receipts(out)
    written = {r.name: (out / r.name).stat().st_mtime_ns for r in left}
    assert any(r.number == INIT for r in left)
    with pytest.raises(Invalid, match="unfinished work on another file"):
        await transcode_file(footage("no_audio"), out, profile=tiny_file)
    summary = await transcode_file(path, out, profile=tiny_file, workers=2)
    assert {name: (out / name).stat().st_mtime_ns for name in written} == written
    # Of what the killed run left half done nothing stays.
    shown = [segment for name in ("v180", "v90", "a96") for segment in listed(out, f"{name}.m3u8")]
    stored = [p.relative_to(out).as_posix() for p in out.rglob("*.m4s")]
    assert sorted(shown) == sorted(stored)
    assert len(pictures(joined(out, "v90.m3u8"))) == 40 * 30 == summary["duration"] * 30


def listed(out: Path, playlist: str) -> list[str]:
    uris = [segment.uri for segment in m3u8.load(str(out / "r1" / playlist)).segments]
    return [uri.removeprefix("../") for uri in uris]


@pytest.mark.journey
async def test_cancelling_ends_every_ffmpeg_and_a_second_run_goes_on(
    footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "cancelled.mp4"
    shutil.copy(footage("lecture", duration=40), path)
    out = tmp_path / "out"
    running = asyncio.create_task(transcode_file(path, out, profile=tiny_file, workers=2))
    await until(lambda: len(receipts(out)) >= 6 and bool(ffmpegs_on(path)))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not ffmpegs_on(path))
    before = len(receipts(out))
    await transcode_file(path, out, profile=tiny_file, workers=2)
    assert before >= 6


def ffmpegs_on(path: Path) -> list[str]:
    """Command lines of running processes that read this file."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                line = (each / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(path) in line and "filter_complex" in line:
                found.append(line)
    return found


async def test_loudness_is_brought_to_the_target(
    ffmpeg: FFmpeg, tiny_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "soft.wav"
    maker.ffmpeg("-f", "lavfi", "-i", "aevalsrc=0.02*sin(2*PI*997*t):s=48000:d=6", "-ac", "2", path)
    await transcode_file(path, tmp_path / "out", profile=tiny_file)
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(joined(tmp_path / "out", "a96.m3u8"))
    assert loudness_of(ffmpeg, path) < -30
    assert loudness_of(ffmpeg, whole) == pytest.approx(-16, abs=1.0)


def loudness_of(program: FFmpeg, path: Path) -> float:
    told = subprocess.run(
        [program.path, "-nostdin", "-i", str(path), "-af", "ebur128", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = told.stderr.rpartition("Summary:")[2]
    return float(summary.partition("I:")[2].split()[0])
