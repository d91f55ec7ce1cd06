"""What cameras and screens do to the picture: turned, odd, interlaced, bright, fast."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tests.footage.ordinary import lecture
from tests.footage.recording import AAC, H264, ffmpeg, kind, pictures, record


@kind("rotated", ".mp4")
def rotated(path: Path, **options: Any) -> None:
    """A telephone held upright: stored 320x180, to be turned by 90 degrees clockwise."""
    lecture(path, **options)
    turn(path)


def turn(path: Path) -> None:
    """Sets the first track's display matrix (ISO/IEC 14496-12, 8.3.2) to a quarter turn clockwise."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    at += 40 if data[at] == 0 else 52
    one = 0x10000
    struct.pack_into(">9i", data, at, 0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


@kind("ntsc", ".mp4")
def ntsc(path: Path, **options: Any) -> None:
    lecture(path, rate="30000/1001", **options)


@kind("portrait", ".mp4")
def portrait(path: Path, **options: Any) -> None:
    lecture(path, size="180x320", **options)


@kind("odd_size", ".mp4")
def odd_size(path: Path) -> None:
    crop = ["-vf", "format=yuv444p,crop=321:179:exact=1"]
    record(path, size="324x180", video=[*H264, "-pix_fmt", "yuv444p"], extra=crop)


@kind("anamorphic", ".mp4")
def anamorphic(path: Path) -> None:
    record(path, size="180x144", rate="25", extra=["-vf", "setsar=64/45"])


@kind("interlaced", ".mp4")
def interlaced(path: Path) -> None:
    fields = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme"]
    record(path, rate="50", extra=fields)


@kind("hdr", ".mp4")
def hdr(path: Path) -> None:
    marks = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    colours = [
        "-vf",
        marks,
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
    ]
    record(path, video=[*H264, "-pix_fmt", "yuv420p10le"], extra=colours, duration=3)


@kind("fast", ".mp4")
def fast(path: Path) -> None:
    record(path, rate="120", duration=3)


@kind("flash_and_beep", ".mp4")
def flash_and_beep(path: Path, *, duration: float = 8, rate: str = "30") -> None:
    """Black and silent, but for 0.1 s of white and of 1 kHz at each whole second from 1 s on."""
    when = "gte(t\\,0.999)*lt(mod(t+0.001\\,1)\\,0.1)"
    flash = f"color=black:s=320x180:r={rate}:d={duration},drawbox=c=white:t=fill:enable={when}"
    beep = f"aevalsrc=0.5*sin(2*PI*1000*t)*gte(t\\,1)*lt(mod(t\\,1)\\,0.1):s=48000:d={duration}"
    ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *H264, *AAC, path)


@kind("black_start", ".mp4")
def black_start(path: Path, *, duration: float = 8) -> None:
    """Two seconds of black before the picture."""
    ffmpeg(*pictures(duration), "-vf", "drawbox=t=fill:c=black:enable=lt(t\\,2)", *H264, path)
