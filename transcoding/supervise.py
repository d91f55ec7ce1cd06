"""The supervisor: runs one command and makes sure that it ends.

A script of its own, started with `python -I -S` (about 20 ms) and free of project imports. The command
is killed when standard input closes (the parent died, however it died, or asked for it), when the
wall-clock limit passes, and by the kernel when a resource limit is reached. On Linux it is also
killed when this supervisor dies, can gain no privileges, and is confined (`confine.py`). One line on the status descriptor tells
how it ended: `exit|signal NUMBER REASON CPU_SECONDS PEAK_BYTES`, REASON being `-`, `parent`, `wall`,
`cpu` or `output`.

    supervise.py STATUS_FD PROGRESS_FD WALL CPU OUTPUT MEMORY NICENESS WALLS COMMAND...

0 means no limit. WALLS is JSON, [paths by right, ports], or empty for a program that needs none. PROGRESS_FD (or -1) becomes descriptor 3 of the command.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
LINUX = sys.platform.startswith("linux")


def limit(kind: int, value: int, *, grace: int = 0) -> None:
    """Sets a soft limit, and a hard one `grace` above it, within what this process may set."""
    if value <= 0:
        return
    _, most = resource.getrlimit(kind)
    hard = value + grace if most == resource.RLIM_INFINITY else min(value + grace, most)
    resource.setrlimit(kind, (min(value, hard), hard))


def become(
    command: list[str], supervisor: int, progress: int, numbers: list[int], walls: str
) -> None:
    """In the child: limits, signals, descriptors, then the command itself. Never returns."""
    cpu, output, memory, niceness = numbers
    os.setpgid(0, 0)
    # Python ignores these two and an exec would hand that on: too large a file must kill.
    for name in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    limit(resource.RLIMIT_CPU, cpu, grace=2)
    limit(resource.RLIMIT_FSIZE, output)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if LINUX:
        # Data, not address space: threads reserve far more addresses than they ever use.
        limit(resource.RLIMIT_DATA, memory)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
            score.write("500")  # out of memory, the kernel takes this and not the database
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(126)
    if niceness:
        os.nice(niceness)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if progress == 3:
        os.set_inheritable(3, True)
    elif progress >= 0:
        os.dup2(progress, 3)
    if walls:
        import json

        sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        confining = __import__("confine")
        try:
            confining.confine(*json.loads(walls))
        except OSError as error:
            os.write(2, f"not confined: {error}\n".encode())
            os._exit(126)
    try:
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def watch(pid: int, wake: int, deadline: float | None) -> tuple[int, resource.struct_rusage, str]:
    """Waits for the command; ends it when the parent or the time is gone."""
    reason = "-"
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG if reason == "-" else 0)
        if ended:
            return status, usage, reason
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([0, wake], [], [], left)
        if 0 in ready and not os.read(0, 1):
            reason = "parent"
        elif wake in ready:
            os.read(wake, 512)
            continue
        elif not ready:
            reason = "wall"
        if reason != "-":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            # Before its setpgid the child is not yet in that group.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def main() -> int:
    report, progress = int(sys.argv[1]), int(sys.argv[2])
    wall, numbers, command = float(sys.argv[3]), [int(n) for n in sys.argv[4:8]], sys.argv[9:]
    deadline = time.monotonic() + wall if wall > 0 else None
    for descriptor in {report, progress} - {-1}:
        os.set_inheritable(descriptor, False)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        become(command, supervisor, progress, numbers, sys.argv[8])
    # The parent's ends close when the command ends, not when this supervisor does.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2, progress):
        if descriptor >= 0:
            os.dup2(nothing, descriptor)

    def stop(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    status, usage, reason = watch(pid, wake, deadline)
    spent = usage.ru_utime + usage.ru_stime
    cpu = numbers[0]
    ended = os.waitstatus_to_exitcode(status)
    if reason == "-" and ended != 0 and cpu and spent >= cpu - 0.5:
        reason = "cpu"  # ffmpeg catches SIGXCPU and ends with a status of its own
    elif ended == -signal.SIGXFSZ:
        reason = "output"
    word, number = ("exit", ended) if ended >= 0 else ("signal", -ended)
    peak = usage.ru_maxrss * (1024 if LINUX else 1)
    os.write(report, f"{word} {number} {reason} {spent:.3f} {peak}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
