"""How many bits our settings take at the quality they reach: against a fixed ladder, against the best
setting an exhaustive sweep finds, and AV1 against H.264.

Quality is VMAF (v0.6.1) at 1080 lines, every fifth picture, paired by number: container times mispair them.
`ACADEMY_BENCH_SEED` repeats a run's random clip.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg

from bench import transcode_bits_clips as clips
from bench.registry import Result, benchmark
from bench.transcode_bits_clips import RATE, Clip
from transcoding.local import transcode_file

SECONDS: Final = 4
EVERY: Final = 5
LIMIT: Final = 600
"""Seconds for one encode or measurement."""
FIXED: Final = 4_500_000
"""Bits per second of the usual fixed ladder's top rung (4.5, 2.5 and 0.9 Mb/s)."""
PRESET: Final = "faster"
HEIGHTS: Final = (1080, 720, 540)
SHARPEST, COARSEST = 12, 40
"""The sweep's crf, in steps of one."""
DRAWN_PARAMETERS, FILMED_PARAMETERS = "aq-strength=0.4", "aq-strength=0.7"


@dataclass(frozen=True, slots=True)
class Encoded:
    kilobits: float
    """Per second."""
    vmaf: float
    cpu: float = 0.0
    """Seconds."""


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


def vmaf(ours: Path, original: Path) -> float:
    """Mean over every fifth picture; both must have the same number of them."""
    paired = f"settb=1/{RATE},setpts=N,scale=1920:1080:flags=bicubic,format=yuv420p"
    with folder() as place:
        log = place / "vmaf.json"
        graph = (
            f"[0:v]{paired}[ours];[1:v]{paired}[original];[ours][original]"
            f"libvmaf=n_subsample={EVERY}:n_threads=1:log_fmt=json:log_path={log}"
        )
        inputs = ["-i", str(ours), "-i", str(original)]
        run(*inputs, "-filter_complex", graph, "-f", "null", "-")
        frames: list[dict[str, Any]] = json.loads(log.read_text())["frames"]
    scores = [frame["metrics"]["vmaf"] for frame in frames if "vmaf" in frame["metrics"]]
    assert len(scores) >= RATE * SECONDS // EVERY, f"{len(scores)} pictures were compared"
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


def encode(clip: Clip, place: Path, options: Sequence[str], height: int = 1080) -> Encoded:
    """One encode of the whole clip with the pipeline's segments (4 s) and scaling."""
    out = place / f"{clip.path.stem}-{height}-{abs(hash(tuple(options)))}.mp4"
    scale = f"scale=-2:{height}:flags=lanczos,setsar=1,format=yuv420p"
    gop = ["-g", str(4 * RATE), "-keyint_min", str(4 * RATE), "-sc_threshold", "0"]
    if "libsvtav1" in options:
        gop = gop[:2]
    flags = ["-threads", "1", "-movflags", "+cmaf+frag_keyframe+empty_moov", "-an"]
    cpu = run("-threads", "1", "-i", str(clip.path), "-vf", scale, *options, *gop, *flags, str(out))
    made = Encoded(out.stat().st_size * 8 / clip.seconds / 1000, vmaf(out, clip.path), cpu)
    out.unlink()
    return made


def x264(crf: int, parameters: str = "") -> list[str]:
    options = ["-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-crf", str(crf)]
    return [*options, "-x264-params", parameters] if parameters else options


def delivered(clip: Clip, place: Path, profile: str) -> dict[str, Encoded]:
    """What the pipeline makes of the clip, by rung: the bytes a viewer fetches, init segment included."""
    out = place / f"{clip.path.stem}-{profile}"
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
        made[rendition["id"]] = Encoded(kilobits, vmaf(whole, clip.path))
    return made


def top(made: dict[str, Encoded], *, av1: bool = False) -> Encoded:
    """The largest rung of a codec."""
    names = [name for name in made if name.endswith("av1") == av1]
    return made[max(names, key=lambda name: int(name.strip("v").removesuffix("av1")))]


def bits_at(quality: float, measure: Callable[[int], Encoded], near: int = 26) -> float:
    """Kilobits per second at this VMAF, as if every crf had been tried: quality falls as crf rises, so that
    steps from `near`, each twice as long, find two between which the answer lies, and halving finds the
    neighbours, between which the logarithm of the bits is interpolated. Infinite where the sharpest does
    not reach it.
    """
    known: dict[int, Encoded] = {}

    def at(crf: int) -> Encoded:
        if crf not in known:
            known[crf] = measure(crf)
        return known[crf]

    low = high = near
    step = 1
    while low > SHARPEST and at(low).vmaf < quality:
        low, high, step = max(SHARPEST, low - step), low, 2 * step
    if at(low).vmaf < quality:
        return math.inf
    while high < COARSEST and at(high).vmaf >= quality:
        low, high, step = high, min(COARSEST, high + step), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle).vmaf >= quality else (low, middle)
    better, worse = at(low), at(high)
    if worse.vmaf >= quality or better.vmaf == worse.vmaf:
        return worse.kilobits
    share = (better.vmaf - quality) / (better.vmaf - worse.vmaf)
    logarithms = math.log(better.kilobits), math.log(worse.kilobits)
    return math.exp(logarithms[0] + share * (logarithms[1] - logarithms[0]))


@benchmark("transcode.bits_vs_fixed_ladder", "transcode.bits_vs_fixed_ladder.camera")
def against_a_fixed_ladder() -> Iterator[Result]:
    """Top rung against 4.5 Mb/s with the same preset."""
    fixed = ["-c:v", "libx264", "-preset", PRESET, "-b:v", str(FIXED), "-maxrate", str(FIXED)]
    fixed += ["-bufsize", str(2 * FIXED)]
    with folder() as place:
        for suffix, make in (("", clips.slides), (".camera", clips.camera)):
            clip = make(place, ffmpeg(), seconds=2 * SECONDS)
            ours, theirs = top(delivered(clip, place, "default")), encode(clip, place, fixed)
            say(
                f"  {clip.name}: VMAF {ours.vmaf:.2f} of ours, {theirs.vmaf:.2f} of the fixed ladder"
            )
            name = f"transcode.bits_vs_fixed_ladder{suffix}"
            yield Result.of(name, ours.kilobits, "kb/s", theirs.kilobits)


SWEPT: Final = ("slides", "code", "camera", "seed")


@benchmark(*(f"transcode.bits_vs_best_sweep.{name}" for name in SWEPT))
def against_the_best_of_a_sweep() -> Iterator[Result]:
    """Top rung against the cheapest of every crf at 1080, 720 and 540 lines, at the VMAF that ours has."""
    seed = int(os.environ.get("ACADEMY_BENCH_SEED") or time.time())
    with folder() as place, ThreadPoolExecutor(os.cpu_count()) as pool:
        makers: dict[str, Callable[[], Clip]] = {
            "slides": lambda: clips.slides(place, ffmpeg(), seconds=SECONDS),
            "code": lambda: clips.code(place, ffmpeg(), seconds=SECONDS),
            "camera": lambda: clips.camera(place, ffmpeg(), seconds=SECONDS),
            "seed": lambda: clips.by_seed(place, ffmpeg(), seed, seconds=SECONDS),
        }
        for name in SWEPT:
            clip = makers[name]()
            ours = top(delivered(clip, place, "default"))
            curves = [(height, "") for height in HEIGHTS]
            curves += [(1080, DRAWN_PARAMETERS), (1080, FILMED_PARAMETERS)]
            best = list(pool.map(partial(swept, clip, place, ours.vmaf), curves))
            told = ", ".join(
                f"{height}{' ' + extra if extra else ''}: {bits:.0f}"
                for (height, extra), bits in zip(curves, best, strict=True)
            )
            kind = f"{clip.name} (ACADEMY_BENCH_SEED={seed})" if name == "seed" else clip.name
            say(f"  {kind}: VMAF {ours.vmaf:.2f}; at that, kb/s by lines: {told}")
            result = f"transcode.bits_vs_best_sweep.{name}"
            yield Result.of(result, ours.kilobits, "kb/s", min(best))


def swept(clip: Clip, place: Path, quality: float, curve: tuple[int, str]) -> float:
    """Kilobits per second at this VMAF, of one height with these parameters."""
    height, parameters = curve
    # Fewer lines hardly ever reach it: the sharpest says so at once. Else ours is not far.
    near = 26 if height == max(HEIGHTS) else SHARPEST
    return bits_at(quality, lambda crf: encode(clip, place, x264(crf, parameters), height), near)


@benchmark("transcode.av1_vs_h264", "transcode.av1_vs_h264.camera")
def av1_against_h264() -> Iterator[Result]:
    """Our AV1 rung against our H.264 settings at the VMAF that the AV1 rung has."""
    with folder() as place:
        for suffix, make in (("", clips.slides), (".camera", clips.camera)):
            clip = make(place, ffmpeg(), seconds=SECONDS)
            av1 = top(delivered(clip, place, "av1"), av1=True)
            drawn = clip.name == "slides"
            parameters = DRAWN_PARAMETERS if drawn else FILMED_PARAMETERS
            h264 = swept(clip, place, av1.vmaf, (1080, parameters))
            svt = ["-c:v", "libsvtav1", "-preset", "8", "-crf", "55" if drawn else "34"]
            svt += ["-svtav1-params", "lp=1:scd=0" + (":scm=1" if drawn else "")]
            costs = encode(clip, place, svt).cpu, encode(clip, place, x264(25, parameters)).cpu
            say(
                f"  {clip.name}: VMAF {av1.vmaf:.2f}; CPU of AV1 {costs[0]:.1f} s,"
                f" of H.264 {costs[1]:.1f} s: {costs[0] / costs[1]:.2f}"
            )
            yield Result.of(f"transcode.av1_vs_h264{suffix}", av1.kilobits, "kb/s", h264)
