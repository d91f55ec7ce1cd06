"""What makes a recording: ffmpeg, its generators, and the register of kinds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from imageio_ffmpeg import get_ffmpeg_exe

Maker = Callable[..., None]


@dataclass(frozen=True)
class Kind:
    suffix: str
    write: Maker


KINDS: dict[str, Kind] = {}


def kind(name: str, suffix: str) -> Callable[[Maker], Maker]:
    def register(write: Maker) -> Maker:
        KINDS[name] = Kind(suffix, write)
        return write

    return register


def make(name: str, path: Path, **options: Any) -> Path:
    """Writes one recording and returns its path."""
    KINDS[name].write(path, **options)
    return path


@cache
def ffmpeg_path() -> str:
    """Always the wheel's: recordings are the same whichever build is tested with them, and builds
    differ in what they write of offsets and priming.
    """
    path: str = get_ffmpeg_exe()
    return path


def ffmpeg(*arguments: str | Path, into: Path | None = None) -> None:
    """Runs ffmpeg; `into` receives what it writes to a pipe, as a recorder without seeking would."""
    command = [ffmpeg_path(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()[-2000:]}")
    if into is not None:
        into.write_bytes(done.stdout)


def pictures(duration: float = 6, size: str = "320x180", rate: str = "30") -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={duration}"]


def sound(duration: float = 6, channels: int = 2, hertz: int = 440) -> list[str]:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    tones = "|".join(f"0.2*sin(2*PI*{hertz + 110 * n}*t)" for n in range(channels))
    return ["-f", "lavfi", "-i", f"aevalsrc={tones}:c={layout}:s=48000:d={duration}"]


H264 = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-threads",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "60",
]
VP9 = [
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-b:v",
    "300k",
    "-g",
    "60",
    "-threads",
    "1",
]
OPUS = ["-c:a", "libopus", "-b:a", "64k"]
AAC = ["-c:a", "aac", "-b:a", "96k"]


def record(
    path: Path,
    *,
    duration: float = 6,
    size: str = "320x180",
    rate: str = "30",
    video: Sequence[str] = H264,
    audio: Sequence[str] | None = AAC,
    channels: int = 2,
    extra: Sequence[str] = (),
    piped: str | None = None,
) -> None:
    """A test card that changes in every frame, and a steady tone."""
    inputs = pictures(duration, size, rate)
    if audio is not None:
        inputs += sound(duration, channels)
    codecs = [*video, *(audio or ())]
    if piped is not None:
        ffmpeg(*inputs, *codecs, *extra, "-f", piped, "pipe:1", into=path)
    else:
        ffmpeg(*inputs, *codecs, *extra, path)
