"""Runs a program under the supervisor (`supervise.py`), with limits, ticks and cancellation.

Costs about 20 ms per run. One thread, no event loop: callbacks run in the caller's thread.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from academy.errors import AcademyError
from transcoding.walls import Walls

SUPERVISOR: Final = Path(__file__).with_name("supervise.py")
TICK: Final = 0.1
"""Seconds between calls of `on_tick`."""
CANCEL_EVERY: Final = 1.0
"""Seconds between questions whether the work is still wanted."""
STOP_WITHIN: Final = 5.0
"""Seconds a killed program may take to disappear before its supervisor is killed, too."""
ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "SVT_LOG": "1"}
"""All a program gets: no credentials, no proxies. SVT-AV1 greets on stderr unless told to name errors
only, and lines there count as complaints about the source."""

Limit = Literal["wall", "cpu", "output"]
REASONS: Final[dict[str, Limit]] = {"wall": "wall", "cpu": "cpu", "output": "output"}
Receiver = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes; None: no limit. `output_bytes` is per file, `memory_bytes` holds on Linux."""

    wall_seconds: float
    cpu_seconds: float | None = None
    output_bytes: int | None = None
    memory_bytes: int | None = None
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: `status` is its exit status, or minus the signal that killed it.

    `limit` names the limit that ended it; `lost` says that the supervisor itself was killed.
    """

    status: int
    limit: Limit | None
    cpu_seconds: float
    peak_bytes: int
    wall_seconds: float
    lost: bool = False


class Cancelled(AcademyError):
    """The work was cancelled."""

    code = "cancelled"


def run(
    command: Sequence[str],
    *,
    limits: Limits,
    receive: Mapping[int, Receiver],
    cancelled: Callable[[], bool] | None = None,
    on_tick: Callable[[], None] | None = None,
    directory: Path | None = None,
    walls: Walls | None = None,
) -> Ending:
    """Runs `command` (absolute program first) to its end, within `walls`: whatever reads a stranger's
    file needs some.

    `receive` maps descriptors of the program (1, 2, 3) to what takes their bytes; 1 and 2 lead nowhere
    otherwise. `on_tick` is called about every 0.1 s, `cancelled` about every second. Raises Cancelled;
    whatever a callback raises passes through. In each case the program is dead before this returns.
    """
    status_read, status_write = os.pipe()
    extra = os.pipe() if 3 in receive else None
    began = time.monotonic()
    try:
        process = _start(command, limits, receive, status_write, extra, directory, walls)
    except BaseException:
        for descriptor in (status_read, *(extra[:1] if extra else ())):
            os.close(descriptor)
        raise
    finally:
        os.close(status_write)
        if extra:
            os.close(extra[1])
    report = bytearray()
    channels: dict[int, Receiver] = {status_read: report.extend}
    for number, stream in ((1, process.stdout), (2, process.stderr)):
        if stream is not None:
            channels[stream.fileno()] = receive[number]
    if extra:
        channels[extra[0]] = receive[3]
    try:
        _pump(channels, limits, cancelled, on_tick)
    finally:
        _stop(process)
        os.close(status_read)
        if extra:
            os.close(extra[0])
    return _ending(bytes(report), time.monotonic() - began)


def _start(
    command: Sequence[str],
    limits: Limits,
    receive: Mapping[int, Receiver],
    status: int,
    extra: tuple[int, int] | None,
    directory: Path | None,
    walls: Walls | None,
) -> subprocess.Popen[bytes]:
    numbers = (
        limits.wall_seconds,
        math.ceil(limits.cpu_seconds or 0),
        limits.output_bytes or 0,
        limits.memory_bytes or 0,
        limits.niceness,
    )
    return subprocess.Popen(
        [
            *(sys.executable, "-I", "-S", str(SUPERVISOR)),
            *(str(status), str(extra[1] if extra else -1)),
            *(str(number) for number in numbers),
            walls.words() if walls else "",
            *command,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if 1 in receive else subprocess.DEVNULL,
        stderr=subprocess.PIPE if 2 in receive else subprocess.DEVNULL,
        pass_fds=(status, extra[1]) if extra else (status,),
        # Ctrl-C in a terminal is for the parent, which then stops its programs itself.
        start_new_session=True,
        env=ENVIRONMENT,
        cwd=directory,
        bufsize=0,
    )


def _pump(
    channels: Mapping[int, Receiver],
    limits: Limits,
    cancelled: Callable[[], bool] | None,
    on_tick: Callable[[], None] | None,
) -> None:
    """Hands bytes on until every channel is closed."""
    began = time.monotonic()
    next_tick, next_question = began + TICK, began + CANCEL_EVERY
    # The supervisor keeps the wall limit; this one holds should it be stopped itself.
    latest = began + limits.wall_seconds + STOP_WITHIN
    with selectors.DefaultSelector() as selector:
        for descriptor, receiver in channels.items():
            selector.register(descriptor, selectors.EVENT_READ, receiver)
        while selector.get_map():
            for key, _ in selector.select(TICK):
                piece = os.read(key.fd, 1 << 16)
                if piece:
                    key.data(piece)
                else:
                    selector.unregister(key.fd)
            now = time.monotonic()
            if on_tick is not None and now >= next_tick:
                on_tick()
                next_tick = time.monotonic() + TICK
            if cancelled is not None and now >= next_question:
                if cancelled():
                    raise Cancelled
                next_question = time.monotonic() + CANCEL_EVERY
            if now > latest:
                return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Lets go of the lifeline and waits until the program is gone."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ending(report: bytes, wall: float) -> Ending:
    words = report.decode().split()
    if len(words) != 5:
        return Ending(-signal.SIGKILL, None, 0.0, 0, wall, lost=True)
    word, number, reason, cpu, peak = words
    return Ending(
        status=int(number) if word == "exit" else -int(number),
        limit=REASONS.get(reason),
        cpu_seconds=float(cpu),
        peak_bytes=int(peak),
        wall_seconds=wall,
    )
