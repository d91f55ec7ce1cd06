"""What a player would get from a manifest: every frame decoded by ffmpeg's own HLS and DASH readers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import av
from imageio_ffmpeg import get_ffmpeg_exe


@dataclass(frozen=True)
class Decoded:
    frames: int
    first: float
    """Presentation time of the first picture, seconds."""
    end: float
    """Presentation time after the last picture, seconds."""
    width: int
    height: int
    audio_seconds: float


def decode(url: str) -> Decoded:
    """The best video rendition and the audio group of an HLS multivariant playlist."""
    with av.open(url) as container:
        best = max(container.streams.video, key=lambda stream: stream.codec_context.height)
        picture_times = []
        samples = 0
        streams = [best, *container.streams.audio[:1]]
        for frame in container.decode(*streams):
            if isinstance(frame, av.VideoFrame):
                assert frame.time is not None
                picture_times.append(frame.time)
            elif isinstance(frame, av.AudioFrame):
                samples += frame.samples
        rate = best.average_rate
        assert rate is not None
        return Decoded(
            frames=len(picture_times),
            first=min(picture_times),
            end=max(picture_times) + float(1 / rate),
            width=best.codec_context.width,
            height=best.codec_context.height,
            audio_seconds=samples / 48_000,
        )


def complaints(url: str) -> str:
    """What ffmpeg has to say about a whole manifest; nothing when all is well."""
    result = subprocess.run(
        [get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", url, "-f", "null", "-"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


def frames_of(url: str) -> int:
    """Pictures that ffmpeg decodes: also of an MPD, which PyAV's build does not read."""
    result = subprocess.run(
        [
            *(get_ffmpeg_exe(), "-nostdin", "-v", "error", "-progress", "pipe:1", "-i", url),
            *("-map", "0:v:0", "-fps_mode", "passthrough", "-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    counts = [line for line in result.stdout.splitlines() if line.startswith("frame=")]
    return int(counts[-1].removeprefix("frame="))
