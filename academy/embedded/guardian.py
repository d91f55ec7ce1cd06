"""The process between `academy up` and its mongod: stops mongod when its parent is gone, however it went.

Run as a script (`python -I -S guardian.py LOCK_FD COMMAND...`), standard library only. Its
standard input is a pipe that the parent never writes to: the end of that pipe is the end of the
parent, also after SIGKILL. (PR_SET_PDEATHSIG alone would not do: it fires when the *thread* that
started the child ends, and services start things from worker threads.) The lock file stays locked
as long as this process lives, so data directories are never opened twice; it says
`running PID` or `stopping PID`.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

STOP_SECONDS = 30
"""After a request to stop; then mongod is killed (its journal keeps what was acknowledged)."""
MOST_RESTARTS = 3
RESTART_WINDOW = 60.0
PR_SET_PDEATHSIG = 1


def die_with_guardian() -> None:
    """In the child, before exec: a killed guardian takes mongod with it (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(command: list[str]) -> subprocess.Popen[bytes]:
    # preexec_fn is safe here: this process has one thread.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_guardian)  # noqa: PLW1509


def note(lock: int, word: str, pid: int) -> None:
    text = f"{word} {pid}\n".encode()
    os.pwrite(lock, text, 0)
    os.ftruncate(lock, len(text))


def stop(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return 0


def main(lock: int, command: list[str]) -> int:
    """mongod's exit status, or 0 when it was asked to stop."""
    os.set_inheritable(lock, False)  # mongod must not keep the lock when the guardian is gone
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    asked = []
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    restarts: list[float] = []
    child = spawn(command)
    note(lock, "running", child.pid)
    while True:
        ready, _, _ = select.select([sys.stdin.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 512)
        status = child.poll()
        if sys.stdin.fileno() in ready or asked:
            note(lock, "stopping", child.pid)
            return stop(child) if status is None else 0
        if status is None:
            continue
        if status > 0:
            return status
        # Killed from outside (out of memory, an operator): the data directory recovers by itself.
        restarts = [at for at in restarts if time.monotonic() - at < RESTART_WINDOW]
        if status == 0 or len(restarts) == MOST_RESTARTS:
            return 128 - status
        restarts.append(time.monotonic())
        child = spawn(command)
        note(lock, "running", child.pid)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
