"""Which ffmpeg: ACADEMY_FFMPEG, else the system's if good enough, else the one in the wheel.

Looking costs about 0.2 s of CPU once per process and binary.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from academy.errors import SettingsError

OLDEST: Final = (5, 1)
NEEDED: Final[dict[str, frozenset[str]]] = {
    "encoders": frozenset({"libx264", "aac", "rawvideo"}),
    "decoders": frozenset({"h264", "hevc", "vp8", "vp9", "mpeg2video", "aac", "mp3", "opus"}),
    "muxers": frozenset({"mp4", "adts", "framecrc", "rawvideo", "null", "s16le"}),
    "demuxers": frozenset({"mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "wav"}),
    "filters": frozenset(
        [
            "split",
            "asplit",
            "scale",
            "fps",
            "trim",
            "atrim",
            "setpts",
            "asetpts",
            "setsar",
            "format",
            "bwdif",
            "tpad",
            "aresample",
            "aformat",
            "volume",
            "alimiter",
            "ebur128",
            "tile",
            "blend",
            "tblend",
            "lut",
            "lutyuv",
        ]
    ),
}
WANTED: Final[dict[str, frozenset[str]]] = {
    "filters": frozenset({"zscale", "tonemap"}),
    "encoders": frozenset({"libsvtav1"}),
}
"""Without these something is worse or missing, but recordings become lectures."""
STALLS: Final = "a prompt end where a filter gets no memory (5.1 goes on until its time is over)"
LATE: Final = (
    "the exact start of Matroska recordings (5.1 plays them 21 ms late, picture and sound alike)"
)

REMEDY: Final = (
    "Install ffmpeg 5.1 or newer with libx264 (Debian: `apt install ffmpeg`), "
    "or `pip install imageio-ffmpeg`, or set ACADEMY_FFMPEG to the path of one."
)
_LOOKING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """One build. `missing` makes it unusable; `lacking` only poorer."""

    path: str
    version: str
    fingerprint: str
    """16 hexadecimal digits: builds that may encode differently differ here."""
    origin: str
    """setting, system or wheel."""
    missing: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.missing

    def has(self, kind: str, name: str) -> bool:
        """Whether a wanted part, such as ("filters", "zscale"), is there."""
        return f"{kind[:-1]} {name}" not in (*self.missing, *self.lacking)


def find(setting: Path | None = None) -> FFmpeg:
    """The ffmpeg to use. Raises SettingsError, with the remedy, when there is none that will do."""
    if setting is not None:
        chosen = examine(str(setting), "setting")
        if not chosen.good:
            raise SettingsError(
                f"ACADEMY_FFMPEG names {setting}, which lacks: {', '.join(chosen.missing)}. {REMEDY}"
            )
        return chosen
    seen: list[FFmpeg] = []
    system = shutil.which("ffmpeg")
    if system is not None:
        seen.append(examine(system, "system"))
        if seen[0].good:
            return seen[0]
    wheel = _from_wheel()
    if wheel is not None:
        seen.append(examine(wheel, "wheel"))
        if seen[-1].good:
            return seen[-1]
    faults = "; ".join(f"{each.path} lacks {', '.join(each.missing)}" for each in seen)
    raise SettingsError(f"No usable ffmpeg{f' ({faults})' if faults else ''}. {REMEDY}")


def _from_wheel() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


def examine(path: str, origin: str) -> FFmpeg:
    """What one binary is. Tasks that begin side by side look once: the others wait for that."""
    with _LOOKING:
        return replace(_examined(path), origin=origin)


@cache
def _examined(path: str) -> FFmpeg:
    """Without an origin; what cannot even be started is `missing` altogether."""
    try:
        banner = _ask(path, "-version")
    except (OSError, subprocess.SubprocessError):
        return FFmpeg(path, "", "", "", missing=("a program that starts",))
    version = _version(banner)
    missing: list[str] = []
    if not _new_enough(version):
        missing.append(f"version 5.1 or newer (it is {version or 'unknown'})")
    lacking: list[str] = []
    # Each question is a start of its own: asked side by side, whoever waits for a plan waits less.
    with ThreadPoolExecutor(len(NEEDED) + 2, thread_name_prefix="ffmpeg") as pool:
        listings = {kind: pool.submit(_ask, path, f"-{kind}") for kind in NEEDED}
        signatures = pool.submit(_encoder_signature, path), pool.submit(_av1_signature, path)
    for kind, listing in listings.items():
        present = _names(listing.result())
        missing += [f"{kind[:-1]} {name}" for name in sorted(NEEDED[kind] - present)]
        lacking += [f"{kind[:-1]} {name}" for name in sorted(WANTED.get(kind, set()) - present)]
    if version.startswith("5."):
        lacking += [STALLS, LATE]
    x264 = b""
    if "encoder libx264" not in missing:
        x264 = signatures[0].result()
        if not x264:
            missing.append("a libx264 that encodes")
    av1 = b"" if "encoder libsvtav1" in lacking else signatures[1].result()
    print_of = hashlib.sha256(b"\0".join((banner.encode(), x264, av1))).hexdigest()[:16]
    return FFmpeg(path, version, print_of, "", tuple(missing), tuple(lacking))


def _ask(path: str, *arguments: str) -> str:
    answer = subprocess.run(
        [path, "-hide_banner", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=True,
    )
    return answer.stdout.decode("utf-8", "replace")


def _version(banner: str) -> str:
    found = re.match(r"ffmpeg version (\S+)", banner)
    return found[1] if found else ""


def _new_enough(version: str) -> bool:
    """`5.1.9-0+deb12u1`, `n9.0.2-17-g…`; a development build such as `N-109…` counts as new."""
    if re.match(r"N-\d|git-|20\d\d-", version):
        return True
    numbers = re.match(r"n?(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST


def _names(listing: str) -> set[str]:
    """Second column of `-encoders`, `-filters`, `-muxers` …; a name may be `mov,mp4,m4a`."""
    names: set[str] = set()
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 2 and not words[0].startswith("-"):
            names.update(words[1].split(","))
    return names


def _encoder_signature(path: str) -> bytes:
    """libx264's own build string, from the stream it writes: the banner does not tell it."""
    answer = _encode_one(path, "libx264", "-preset", "faster", "-f", "h264", "pipe:1")
    found = re.search(rb"x264 - core [^\0]*?(?= - H\.264)", answer.stdout) if answer else None
    return found[0] if found else b""


def _av1_signature(path: str) -> bytes:
    """SVT-AV1 names its version on stderr only."""
    answer = _encode_one(path, "libsvtav1", "-preset", "10", "-f", "null", "-")
    found = re.search(rb"SVT-AV1 Encoder Lib (\S+)", answer.stderr) if answer else None
    return found[1] if found else b""


def _encode_one(
    path: str, encoder: str, *options: str
) -> subprocess.CompletedProcess[bytes] | None:
    """One grey frame."""
    try:
        return subprocess.run(
            [
                *(path, "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "yuv420p"),
                *("-s", "64x64", "-i", "pipe:0", "-threads", "1", "-c:v", encoder),
                *("-frames:v", "1", *options),
            ],
            input=bytes(64 * 64 * 3 // 2),
            capture_output=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
