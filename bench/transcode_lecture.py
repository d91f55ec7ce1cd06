"""Recordings for the speed benchmarks: pictures of `transcode_bits_clips`, with speech, as long as wanted."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from academy.demo.voice import write_speech
from bench import transcode_bits_clips as clips

COPY_LIMIT: Final = 300
"""Seconds."""
KEPT: Final = [
    *("-c:v", "libx264", "-preset", "superfast", "-crf", "23", "-g", "250"),
    *("-maxrate", "2M", "-bufsize", "4M"),
]
"""What recorders write: two Mb/s, a keyframe now and then. Two hours take 1.8 GB at most."""


def lecture(folder: Path, ffmpeg: str, seconds: float, *, every: float = 2) -> Path:
    """Slides with a speaker in a corner; something new appears each `every` so many seconds."""
    return _spoken(clips.slides(folder, ffmpeg, seconds=seconds, every=every), folder, ffmpeg)


def camera(folder: Path, ffmpeg: str, seconds: float) -> Path:
    """A person in a room, filmed by hand."""
    return _spoken(clips.camera(folder, ffmpeg, seconds=seconds), folder, ffmpeg)


def _spoken(clip: clips.Clip, folder: Path, ffmpeg: str) -> Path:
    speech, path = folder / f"{clip.name}.wav", folder / f"{clip.name}-spoken.mp4"
    write_speech(speech, clip.seconds)
    inputs = ["-i", str(clip.path), "-i", str(speech)]
    _run(ffmpeg, *inputs, *KEPT, "-c:a", "aac", "-b:a", "96k", "-shortest", str(path))
    clip.path.unlink()
    return path


def looped(path: Path, ffmpeg: str, seconds: float) -> Path:
    """The same again and again, copied and not encoded: two hours cost a few seconds."""
    long = path.with_name(f"{path.stem}-{seconds:.0f}.mp4")
    again = ["-stream_loop", "-1", "-i", str(path), "-t", str(seconds), "-c", "copy"]
    _run(ffmpeg, *again, "-movflags", "+faststart", str(long))
    return long


def _run(ffmpeg: str, *arguments: str) -> None:
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=COPY_LIMIT)
