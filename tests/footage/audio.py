"""Recordings that matter for their sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.footage.ordinary import lecture
from tests.footage.recording import AAC, H264, OPUS, ffmpeg, kind, pictures, record, sound


@kind("no_audio", ".mp4")
def no_audio(path: Path, **options: Any) -> None:
    lecture(path, audio=None, **options)


@kind("audio_only", ".m4a")
def audio_only(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *AAC, path)


@kind("mp3", ".mp3")
def mp3(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), "-c:a", "libmp3lame", "-q:a", "4", path)


@kind("wav", ".wav")
def wav(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration, 1), path)


@kind("flac", ".flac")
def flac(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), path)


@kind("ogg", ".ogg")
def ogg(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *OPUS, path)


@kind("adts", ".aac")
def adts(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *AAC, path)


@kind("surround", ".mp4")
def surround(path: Path) -> None:
    record(path, channels=6)


@kind("two_languages", ".mkv")
def two_languages(path: Path) -> None:
    """Mono English first, then Chinese in stereo, which is marked as the default."""
    inputs = [*pictures(6), *sound(6, 1), *sound(6, 2, 660)]
    tracks = "-map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=chi"
    marks = "-disposition:a:0 0 -disposition:a:1 default"
    ffmpeg(*inputs, *tracks.split(), *marks.split(), *H264, *AAC, path)


@kind("cover_art", ".m4a")
def cover_art(path: Path) -> None:
    """Sound with a picture of the album: no video."""
    art = path.with_suffix(".jpg")
    ffmpeg(*pictures(1), "-frames:v", "1", "-update", "1", art)
    cover = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg(*sound(6), "-i", art, *cover, *AAC, "-f", "mp4", path)
