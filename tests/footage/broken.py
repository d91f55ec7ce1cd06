"""Broken, empty and mendacious files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from tests.footage.ordinary import avi, lecture, mkv, moov_at_end, mpegts
from tests.footage.recording import AAC, H264, ffmpeg, kind, pictures, record, sound


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@kind("truncated_mp4", ".mp4")
def truncated_mp4(path: Path, *, share: float = 0.6, **options: Any) -> None:
    lecture(path, **options)
    cut(path, share)


@kind("truncated_mkv", ".mkv")
def truncated_mkv(path: Path, *, share: float = 0.6, **options: Any) -> None:
    mkv(path, **options)
    cut(path, share)


@kind("truncated_ts", ".ts")
def truncated_ts(path: Path, *, share: float = 0.6) -> None:
    mpegts(path)
    cut(path, share)


@kind("truncated_avi", ".avi")
def truncated_avi(path: Path, *, share: float = 0.6) -> None:
    avi(path)
    cut(path, share)


@kind("without_moov", ".mp4")
def without_moov(path: Path) -> None:
    """Recording broke off before the index was written."""
    moov_at_end(path)
    cut(path, 0.6)


@kind("zero_tail", ".mp4")
def zero_tail(path: Path, *, share: float = 0.5) -> None:
    """A download that reserved its size and never ended."""
    lecture(path)
    data = path.read_bytes()
    kept = int(len(data) * share)
    path.write_bytes(data[:kept] + bytes(len(data) - kept))


@kind("damaged", ".mp4")
def damaged(path: Path) -> None:
    """A kilobyte in the middle is noise."""
    lecture(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1024] = bytes(n * 37 % 251 for n in range(1024))
    path.write_bytes(data)


@kind("short", ".mp4")
def short(path: Path) -> None:
    record(path, duration=0.2)


@kind("encrypted", ".mp4")
def encrypted(path: Path) -> None:
    key = "00112233445566778899aabbccddeeff"
    scheme = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", key]
    record(path, extra=scheme, duration=3)


@kind("many_streams", ".mkv")
def many_streams(path: Path, *, count: int = 70) -> None:
    ffmpeg(*pictures(1), *sound(1, 1), *["-map", "0"], *["-map", "1"] * count, *H264, *AAC, path)


@kind("giant_picture", ".mkv")
def giant_picture(path: Path) -> None:
    frame = ["-frames:v", "1", "-c:v", "png", "-pix_fmt", "gray"]
    ffmpeg("-f", "lavfi", "-i", "color=black:s=9000x200:r=25:d=1", *frame, path)


@kind("empty", ".mp4")
def empty(path: Path) -> None:
    path.write_bytes(b"")


@kind("noise", ".mp4")
def noise(path: Path) -> None:
    state, out = 1, bytearray()
    for _ in range(50_000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        out.append(state >> 16 & 0xFF)
    path.write_bytes(out)


@kind("text", ".mp4")
def text(path: Path, *, content: str = "Lecture 1: what a cloud is.\n" * 40) -> None:
    path.write_text(content, encoding="utf-8")


@kind("archive", ".zip")
def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("lecture.mp4", b"not here")


@kind("picture", ".png")
def picture(path: Path) -> None:
    ffmpeg(*pictures(1), "-frames:v", "1", path)


@kind("subtitles_only", ".mkv")
def subtitles_only(path: Path) -> None:
    text_of = path.with_suffix(".srt")
    text_of.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n", encoding="utf-8")
    ffmpeg("-i", text_of, "-c:s", "srt", path)
