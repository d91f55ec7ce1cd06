"""Runs ffmpeg: progress, limits, cancellation, and failures whose type decides the retry.

Synchronous, for the threads of workers; `run_async` is the same for coroutines. Exit status 0 proves
little with ffmpeg: callers count frames themselves.
"""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from academy.errors import AcademyError
from academy.jobs import FailureKind
from transcoding import process
from transcoding.process import Cancelled, Limit, Limits
from transcoding.walls import around

__all__ = [
    "Cancelled",
    "EncodingFailed",
    "Ended",
    "LimitExceeded",
    "Limits",
    "Progress",
    "capture",
    "run",
    "run_async",
]

TAIL_LINES: Final = 20
LINE_BYTES: Final = 500
PASSING: Final = (
    "No space left on device",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Input/output error",
    "Server returned 5XX",
    "HTTP error 5",
    "Stream ends prematurely",
    "Resource temporarily unavailable",
)
"""Words in ffmpeg's complaints that speak of the machine, not of the file or of us."""
NO_MEMORY: Final = ("Cannot allocate memory", "malloc of size", "pthread_create() failed")
LIMIT_NAMES: Final = {"wall": "time", "cpu": "CPU time", "output": "file size", "memory": "memory"}
BAD_INPUT: Final = re.compile(
    r"^(?:.*Error opening input.*|(?:file:|https?://|/).*): Invalid data found when processing input$",
    re.MULTILINE,
)
"""Said of the whole input; ffmpeg before 6 writes its address only. A damaged packet is no such thing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`frame`: frames written so far (the first video output); `speed` in times real time."""

    frame: int = 0
    seconds: float = 0.0
    """Position of the output; stays 0 while encoders look ahead, so count frames instead."""
    bytes: int = 0
    speed: float | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """ffmpeg ended with status 0. `complaints` counts the lines it wrote about errors."""

    progress: Progress
    complaints: int
    tail: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class EncodingFailed(AcademyError):
    """ffmpeg failed. `kind` decides the retry; `detail` holds the last lines it wrote."""

    code = "encoding_failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        kind: FailureKind = FailureKind.BUG,
        detail: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.detail = detail
        self.status = status


class LimitExceeded(EncodingFailed):
    """ffmpeg needed more than it may have."""

    code = "limit_exceeded"
    limit: Limit | str = "wall"


@dataclass(slots=True)
class _Tail:
    """The last lines of stderr, in bounded memory."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    count: int = 0
    rest: bytes = b""

    def __call__(self, piece: bytes) -> None:
        *whole, self.rest = (self.rest + piece).splitlines(keepends=True) or [b""]
        if self.rest.endswith((b"\n", b"\r")):
            whole, self.rest = [*whole, self.rest], b""
        elif len(self.rest) > LINE_BYTES:
            # One endless line: keep its beginning, drop the rest as it comes.
            self.rest = self.rest[:LINE_BYTES]
        for line in whole:
            self._add(line)

    def _add(self, line: bytes) -> None:
        text = line[:LINE_BYTES].decode("utf-8", "replace").rstrip()
        if text:
            self.lines.append(text)
            self.count += 1

    def text(self) -> str:
        if self.rest:
            self._add(self.rest)
            self.rest = b""
        return "\n".join(self.lines)


@dataclass(slots=True)
class _Meter:
    """Reads `-progress`: blocks of key=value lines, each ended by `progress=continue|end`."""

    on_progress: Callable[[Progress], None] | None
    latest: Progress = Progress()
    block: dict[str, str] = field(default_factory=dict)
    rest: bytes = b""

    def __call__(self, piece: bytes) -> None:
        *whole, self.rest = (self.rest + piece).split(b"\n")
        for line in whole:
            name, _, value = line.decode("ascii", "replace").partition("=")
            self.block[name.strip()] = value.strip()
            if name == "progress":
                self._block_ended(ended=value.strip() == "end")

    def _block_ended(self, *, ended: bool) -> None:
        self.latest = Progress(
            frame=int(_number(self.block.get("frame"))),
            seconds=max(0.0, _number(self.block.get("out_time_us")) / 1e6),
            bytes=int(_number(self.block.get("total_size"))),
            speed=_number(self.block.get("speed", "").rstrip("x")) or None,
            ended=ended,
        )
        self.block.clear()
        if self.on_progress is not None:
            self.on_progress(self.latest)


def _number(text: str | None) -> float:
    """ffmpeg writes N/A for what it does not know."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def complete(argv: Sequence[str]) -> list[str]:
    """The command with what every run needs: no terminal, errors only, progress on descriptor 3."""
    program, *arguments = argv
    common = ["-nostdin", "-hide_banner", "-nostats"]
    if "-v" not in arguments and "-loglevel" not in arguments:
        common += ["-v", "error"]
    return [program, *common, "-progress", "pipe:3", "-stats_period", "0.5", *arguments]


def run(
    argv: Sequence[str],
    *,
    limits: Limits,
    cancelled: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_tick: Callable[[], None] | None = None,
    on_stdout: Callable[[bytes], None] | None = None,
    directory: Path | None = None,
) -> Ended:
    """Runs ffmpeg to its end. `argv` begins with the binary's path.

    All callbacks run in this thread: `on_progress` about twice a second, `on_tick` about every 0.1 s,
    `on_stdout` with pieces of at most 64 KiB (ffmpeg waits while it works), `cancelled` about every
    second; after True, ffmpeg is killed and Cancelled raised. Raises EncodingFailed, LimitExceeded.
    """
    tail, meter = _Tail(), _Meter(on_progress)
    receive: dict[int, process.Receiver] = {2: tail, 3: meter}
    if on_stdout is not None:
        receive[1] = on_stdout
    ending = process.run(
        complete(argv),
        limits=limits,
        receive=receive,
        cancelled=cancelled,
        on_tick=on_tick,
        directory=directory,
        walls=around(argv, directory),
    )
    if ending.status != 0 or ending.limit is not None:
        raise failure(ending, tail.text(), limits)
    return Ended(
        progress=meter.latest,
        complaints=tail.count,
        tail=tail.text(),
        wall_seconds=ending.wall_seconds,
        cpu_seconds=ending.cpu_seconds,
        peak_bytes=ending.peak_bytes,
    )


def failure(ending: process.Ending, tail: str, limits: Limits) -> EncodingFailed:
    """What the way ffmpeg ended means."""
    starved = limits.memory_bytes is not None and any(words in tail for words in NO_MEMORY)
    if ending.limit is not None or starved:
        exceeded = LimitExceeded(
            f"Encoding was stopped at its {LIMIT_NAMES[ending.limit or 'memory']} limit: the recording "
            "asks for more than a lecture should. Save it again as MP4 (H.264 and AAC) and upload that.",
            # A busy machine may keep a healthy run from ending in time; the other limits are the work's own.
            kind=FailureKind.TRANSIENT if ending.limit == "wall" else FailureKind.BUG,
            detail=tail,
            status=ending.status,
        )
        exceeded.limit = ending.limit or "memory"
        return exceeded
    if ending.lost or ending.status in {-signal.SIGKILL, -signal.SIGTERM}:
        return EncodingFailed(
            "ffmpeg was killed from outside; the machine may be out of memory.",
            kind=FailureKind.TRANSIENT,
            detail=tail,
            status=ending.status,
        )
    kind = FailureKind.BUG
    if any(words in tail for words in PASSING):
        kind = FailureKind.TRANSIENT
    elif BAD_INPUT.search(tail):
        kind = FailureKind.SOURCE
    return EncodingFailed(
        f"ffmpeg ended with status {ending.status}: {tail.splitlines()[-1] if tail else 'silently'}",
        kind=kind,
        detail=tail,
        status=ending.status,
    )


def capture(
    argv: Sequence[str], *, limits: Limits, cancelled: Callable[[], bool] | None = None
) -> bytes:
    """What ffmpeg writes to standard output (`pipe:1`), for results that fit in memory."""
    pieces = bytearray()
    run(argv, limits=limits, cancelled=cancelled, on_stdout=pieces.extend)
    return bytes(pieces)


async def run_async(
    argv: Sequence[str],
    *,
    limits: Limits,
    on_progress: Callable[[Progress], None] | None = None,
    on_tick: Callable[[], None] | None = None,
    on_stdout: Callable[[bytes], None] | None = None,
) -> Ended:
    """`run` in a thread (callbacks too). Cancelling the task ends ffmpeg before it returns."""
    unwanted = threading.Event()
    work = asyncio.ensure_future(
        asyncio.to_thread(
            run,
            argv,
            limits=limits,
            cancelled=unwanted.is_set,
            on_progress=on_progress,
            on_tick=on_tick,
            on_stdout=on_stdout,
        )
    )
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        unwanted.set()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()
        raise
