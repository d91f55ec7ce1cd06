"""Ordinary containers, and recorders' habits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.footage.recording import AAC, H264, OPUS, VP9, ffmpeg, kind, pictures, record, sound


@kind("lecture", ".mp4")
def lecture(path: Path, **options: Any) -> None:
    record(path, extra=["-movflags", "+faststart"], **options)


@kind("moov_at_end", ".mp4")
def moov_at_end(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mov", ".mov")
def mov(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mkv", ".mkv")
def mkv(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("webm", ".webm")
def webm(path: Path, **options: Any) -> None:
    record(path, video=VP9, audio=OPUS, **options)


@kind("avi", ".avi")
def avi(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "mpeg4", "-g", "30"], audio=["-c:a", "mp2"], **options)


@kind("mpegts", ".ts")
def mpegts(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mpegps", ".mpg")
def mpegps(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "mpeg2video"], audio=["-c:a", "mp2"], **options)


@kind("flv", ".flv")
def flv(path: Path, **options: Any) -> None:
    record(path, extra=["-ar", "44100"], **options)


@kind("wmv", ".wmv")
def wmv(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "wmv2"], audio=["-c:a", "wmav2"], **options)


@kind("media_recorder", ".webm")
def media_recorder(path: Path, **options: Any) -> None:
    """As a browser's MediaRecorder writes it: no duration, no index."""
    record(path, video=VP9, audio=OPUS, piped="webm", **options)


@kind("fragmented", ".mp4")
def fragmented(path: Path, **options: Any) -> None:
    flags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
    record(path, extra=flags, piped="mp4", **options)


@kind("variable", ".mp4")
def variable(path: Path, *, duration: float = 6) -> None:
    """30 frames in one second, 10 in the next."""
    keep = "select=lt(mod(n\\,60)\\,30)+not(mod(n\\,3))"
    inputs = [*pictures(duration), *sound(duration)]
    ffmpeg(*inputs, "-vf", keep, "-fps_mode", "vfr", *H264, *AAC, path)


@kind("slides", ".mp4")
def slides(path: Path, *, duration: float = 30) -> None:
    """One frame every ten seconds."""
    record(path, duration=duration, rate="1/10")


@kind("still", ".mp4")
def still(path: Path, *, duration: float = 6) -> None:
    """A single frame beside sound."""
    inputs = [*pictures(0.04, rate="25"), *sound(duration)]
    ffmpeg(*inputs, *H264, *AAC, path)


@kind("start_offset", ".mkv")
def start_offset(path: Path, *, offset: float = 5.4, **options: Any) -> None:
    record(path, extra=["-output_ts_offset", str(offset)], **options)


@kind("late_video", ".mp4")
def late_video(path: Path, *, delay: float = 1.5) -> None:
    """The picture begins after the sound."""
    ffmpeg(*sound(6), "-itsoffset", str(delay), *pictures(4), *H264, *AAC, path)


@kind("long_audio", ".mp4")
def long_audio(path: Path) -> None:
    """The sound goes on for three seconds after the picture."""
    ffmpeg(*pictures(4), *sound(7), *H264, *AAC, path)
