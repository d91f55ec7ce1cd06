"""Whatever happens around it, a supervised program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.canaries import LINUX
from transcoding import process
from transcoding.process import Cancelled, Limits

FOREVER = "import time\nwhile True: time.sleep(0.01)"
AMPLE = Limits(wall_seconds=60)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", textwrap.dedent(code)]


def output_of(code: str, limits: Limits = AMPLE) -> str:
    out = bytearray()
    ending = process.run(python(code), limits=limits, receive={1: out.extend})
    assert ending.status == 0
    return out.decode()


def gone(pid: int) -> bool:
    """Waits until a process is no more; a zombie counts as gone."""
    for _ in range(1000):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_output_status_and_usage_come_back() -> None:
    out, complaints, third = bytearray(), bytearray(), bytearray()
    ending = process.run(
        python("import os, sys; print('a'); os.write(2, b'b'); os.write(3, b'c'); sys.exit(7)"),
        limits=AMPLE,
        receive={1: out.extend, 2: complaints.extend, 3: third.extend},
    )
    assert (bytes(out), bytes(complaints), bytes(third)) == (b"a\n", b"b", b"c")
    assert ending.status == 7
    assert ending.limit is None
    assert ending.cpu_seconds > 0
    assert ending.peak_bytes > 1 << 20


def test_a_program_that_is_not_there_says_so() -> None:
    complaints = bytearray()
    ending = process.run(["/nowhere"], limits=AMPLE, receive={2: complaints.extend})
    assert ending.status == 127
    assert b"/nowhere" in complaints


def test_megabytes_pass_through_unchanged() -> None:
    out = bytearray()
    code = "import sys; [sys.stdout.buffer.write(bytes([n]) * 100_000) for n in range(50)]"
    process.run(python(code), limits=AMPLE, receive={1: out.extend})
    assert bytes(out) == b"".join(bytes([n]) * 100_000 for n in range(50))


def test_nothing_of_our_environment_and_input_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = output_of("import os, sys; print(sorted(os.environ), sys.stdin.read(), os.getcwd())")
    assert "AWS_SECRET_ACCESS_KEY" not in told
    assert told.startswith("['LC_ALL', 'PATH', 'SVT_LOG'] ")


@pytest.mark.skipif(not LINUX, reason="/proc")
def test_a_program_has_its_own_group_no_privileges_to_gain_and_no_foreign_descriptors() -> None:
    told = output_of(
        """
        import os
        print(os.getpgid(0) == os.getpid())
        print([line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
        print(open("/proc/self/oom_score_adj").read().strip())
        print(sorted(map(int, os.listdir("/proc/self/fd"))))
        """
    ).splitlines()
    assert told[0] == "True"
    assert "1" in told[1]
    assert int(told[2]) >= 500
    # 0 to 2, and the one that lists the directory
    assert told[3] == "[0, 1, 2, 3]"


@pytest.mark.parametrize(
    ("limits", "code", "limit"),
    [
        (Limits(wall_seconds=0.3), FOREVER, "wall"),
        (Limits(60, cpu_seconds=1), "while True: pass", "cpu"),
        (
            Limits(60, output_bytes=1000),
            (
                "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
                "open('x', 'wb').write(bytes(9999))"
            ),
            "output",
        ),
    ],
)
def test_each_limit_ends_the_program_and_is_named(
    limits: Limits, code: str, limit: str, tmp_path: Path
) -> None:
    ending = process.run(python(code), limits=limits, receive={}, directory=tmp_path)
    assert ending.limit == limit
    assert ending.status != 0


@pytest.mark.skipif(not LINUX, reason="RLIMIT_DATA counts mappings on Linux only")
def test_memory_beyond_the_limit_is_refused() -> None:
    complaints = bytearray()
    ending = process.run(
        python("bytearray(1 << 30)"),
        limits=Limits(60, memory_bytes=256 << 20),
        receive={2: complaints.extend},
    )
    assert ending.status == 1
    assert b"MemoryError" in complaints


def test_cancelling_kills_the_program_before_it_returns() -> None:
    pids: list[int] = []
    with pytest.raises(Cancelled):
        process.run(
            python(f"import os; os.write(1, b'%d' % os.getpid())\n{FOREVER}"),
            limits=AMPLE,
            receive={1: lambda piece: pids.append(int(piece))},
            cancelled=lambda: True,
        )
    assert gone(pids[0])


def test_what_a_callback_raises_passes_through_and_the_program_is_dead() -> None:
    pids: list[int] = []

    def receive(piece: bytes) -> None:
        pids.append(int(piece))
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        process.run(
            python(f"import os; os.write(1, b'%d' % os.getpid())\n{FOREVER}"),
            limits=AMPLE,
            receive={1: receive},
        )
    assert gone(pids[0])


def test_ticks_come_while_the_program_is_silent(tmp_path: Path) -> None:
    """It waits for a file that only a tick makes."""
    wait = "import os, time\nwhile not os.path.exists('ticked'): time.sleep(0.01)"
    ending = process.run(
        python(wait),
        limits=AMPLE,
        receive={},
        on_tick=(tmp_path / "ticked").touch,
        directory=tmp_path,
    )
    assert ending.status == 0


@pytest.mark.parametrize("victim", ["parent", "supervisor"])
def test_the_program_dies_when_its_parent_or_supervisor_is_killed(
    victim: str, tmp_path: Path
) -> None:
    if victim == "supervisor" and not LINUX:
        pytest.skip("needs PR_SET_PDEATHSIG")
    note = tmp_path / "pids"
    inner = f"""
        import os
        with open({str(note)!r} + "~", "w") as file:
            file.write(f"{{os.getpid()}} {{os.getppid()}}")
        os.rename({str(note)!r} + "~", {str(note)!r})
    """
    command = python(textwrap.dedent(inner) + FOREVER)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                f"from transcoding import process\n"
                f"process.run({command!r}, limits=process.Limits(120), receive={{}})"
            ),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        while not note.exists():
            assert parent.poll() is None
            time.sleep(0.01)
        program, supervisor = map(int, note.read_text().split())
        os.kill(parent.pid if victim == "parent" else supervisor, signal.SIGKILL)
        assert gone(program)
        assert gone(supervisor)
    finally:
        parent.kill()
        parent.wait()


def test_losing_the_supervisor_is_told() -> None:
    def kill(piece: bytes) -> None:
        os.kill(int(piece), signal.SIGKILL)

    ending = process.run(
        python(f"import os; os.write(1, b'%d' % os.getppid())\n{FOREVER}"),
        limits=AMPLE,
        receive={1: kill},
    )
    assert ending.lost
