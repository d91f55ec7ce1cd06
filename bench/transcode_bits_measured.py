"""Bits and quality of encodes: by the pipeline, by one ffmpeg, and of a curve of them at a given quality.

Quality is VMAF (v0.6.1) at 1080 lines, every fifth picture, paired by number: container times mispair them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg

from bench.transcode_bits_clips import RATE, Clip
from transcoding.local import transcode_file

EVERY: Final = 5
LIMIT: Final = 600
"""Seconds for one encode or measurement."""
PRESET: Final = "faster"
SHARPEST: Final = {"x264": 12, "svtav1": 12}
COARSEST: Final = {"x264": 40, "svtav1": 63}
"""The curves' crf, in steps of one."""


@dataclass(frozen=True, slots=True)
class Encoded:
    kilobits: float
    """Per second."""
    vmaf: float
    cpu: float = 0.0
    """Seconds, of the encode alone."""


NOWHERE: Final = Encoded(math.inf, math.nan)
"""No crf reaches the quality that was asked for."""


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        yield Path(place)


@cache
def ffmpeg() -> str:
    """The one with libvmaf, whatever the system has."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def vmaf(ours: Path, clip: Clip) -> float:
    """Mean over every fifth picture. Every picture of the clip must be there."""
    paired = f"settb=1/{RATE},setpts=N,scale=1920:1080:flags=bicubic,format=yuv420p"
    with folder() as place:
        log = place / "vmaf.json"
        graph = (
            f"[0:v]{paired}[ours];[1:v]{paired}[original];[ours][original]"
            f"libvmaf=n_subsample={EVERY}:n_threads=1:log_fmt=json:log_path={log}"
        )
        inputs = ["-threads", "1", "-i", str(ours), "-threads", "1", "-i", str(clip.path)]
        run(*inputs, "-filter_complex", graph, "-f", "null", "-")
        frames: list[dict[str, Any]] = json.loads(log.read_text())["frames"]
    scores = [frame["metrics"]["vmaf"] for frame in frames if "vmaf" in frame["metrics"]]
    wanted = -(-round(clip.seconds * RATE) // EVERY)
    if len(scores) != wanted:
        raise RuntimeError(f"{len(scores)} of {wanted} pictures could be compared")
    return float(sum(scores) / len(scores))


def run(*arguments: str) -> float:
    """CPU seconds of one ffmpeg."""
    command = [ffmpeg(), "-nostdin", "-v", "error", "-y", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={"SVT_LOG": "1"})
    assert process.stderr is not None
    complaints = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(complaints.decode("utf-8", "replace")[-2000:])
    return used.ru_utime + used.ru_stime


def x264(crf: int, parameters: str = "") -> list[str]:
    options = ["-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-crf", str(crf)]
    return [*options, "-x264-params", parameters] if parameters else options


def svtav1(crf: int, preset: int, parameters: str) -> list[str]:
    options = ["-c:v", "libsvtav1", "-preset", str(preset), "-crf", str(crf)]
    return [*options, "-svtav1-params", f"lp=1:scd=0{':' if parameters else ''}{parameters}"]


def encode(clip: Clip, place: Path, options: Sequence[str], height: int = 1080) -> Encoded:
    """One encode of the whole clip with the pipeline's segments (4 s) and scaling."""
    digest = hashlib.sha256(" ".join(options).encode()).hexdigest()[:16]
    out = place / f"{clip.path.stem}-{height}-{digest}.mp4"
    scale = f"scale=-2:{height}:flags=lanczos,setsar=1,format=yuv420p"
    gop = ["-g", str(4 * RATE), "-keyint_min", str(4 * RATE), "-sc_threshold", "0"]
    if "libsvtav1" in options:
        gop = gop[:2]
    flags = ["-threads", "1", "-movflags", "+cmaf+frag_keyframe+empty_moov", "-an"]
    cpu = run("-threads", "1", "-i", str(clip.path), "-vf", scale, *options, *gop, *flags, str(out))
    made = Encoded(out.stat().st_size * 8 / clip.seconds / 1000, vmaf(out, clip), cpu)
    out.unlink()
    return made


def delivered(clip: Clip, place: Path, profile: str) -> dict[str, Encoded]:
    """What the pipeline makes of the clip, by rung: the bytes a viewer fetches, init segment included."""
    out = place / f"{clip.path.stem}-{Path(profile).stem}"
    summary = asyncio.run(transcode_file(clip.path, out, profile=profile))
    made: dict[str, Encoded] = {}
    for rendition in summary["renditions"]:
        if not rendition.get("height"):
            continue
        track = out / rendition["id"]
        parts = sorted(track.glob("*.m4s"), key=lambda path: int(path.name.partition("-")[0]))
        whole = place / f"{clip.path.stem}-{rendition['id']}.mp4"
        whole.write_bytes(b"".join(path.read_bytes() for path in [*track.glob("init*"), *parts]))
        kilobits = whole.stat().st_size * 8 / clip.seconds / 1000
        made[rendition["id"]] = Encoded(kilobits, vmaf(whole, clip))
    return made


def top(made: dict[str, Encoded], *, av1: bool = False) -> Encoded:
    """The largest rung of a codec."""
    names = [name for name in made if name.endswith("av1") == av1]
    return made[max(names, key=lambda name: int(name.strip("v").removesuffix("av1")))]


def at_quality(
    quality: float,
    measure: Callable[[int], Encoded],
    *,
    near: int,
    encoder: str = "x264",
) -> Encoded:
    """What this VMAF takes, as if every crf had been tried: quality falls as crf rises, so that steps from
    `near`, each twice as long, find two between which the answer lies, and halving finds the neighbours,
    between which the logarithm of the bits is interpolated. `NOWHERE` where the sharpest does not reach it.
    """
    known: dict[int, Encoded] = {}
    sharpest, coarsest = SHARPEST[encoder], COARSEST[encoder]

    def at(crf: int) -> Encoded:
        if crf not in known:
            known[crf] = measure(crf)
        return known[crf]

    low = high = near
    step = 1
    while low > sharpest and at(low).vmaf < quality:
        low, high, step = max(sharpest, low - step), low, 2 * step
    if at(low).vmaf < quality:
        return NOWHERE
    while high < coarsest and at(high).vmaf >= quality:
        low, high, step = high, min(coarsest, high + step), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle).vmaf >= quality else (low, middle)
    better, worse = at(low), at(high)
    if worse.vmaf >= quality or better.vmaf == worse.vmaf:
        return worse
    share = (better.vmaf - quality) / (better.vmaf - worse.vmaf)
    logarithms = math.log(better.kilobits), math.log(worse.kilobits)
    bits = math.exp(logarithms[0] + share * (logarithms[1] - logarithms[0]))
    return Encoded(bits, quality, better.cpu + share * (worse.cpu - better.cpu))
