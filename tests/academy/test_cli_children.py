import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from academy.commands import children
from academy.commands.children import Child
from academy.errors import SettingsError, Unavailable


@pytest.fixture
def said():
    return []


@pytest.fixture
def make(tmp_path, said):
    def make(code: str) -> Child:
        return Child(
            "service",
            [sys.executable, "-u", "-c", code],
            environment=dict(os.environ) | {"FOLDER": str(tmp_path)},
            log=tmp_path / "service.log",
            report=said.append,
        )

    return make


async def until(condition):
    for _ in range(1200):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never happened")


async def test_a_child_that_dies_is_started_again_and_its_last_lines_are_told(make, said, tmp_path):
    child = make(
        "import os, pathlib, time\n"
        "marks = pathlib.Path(os.environ['FOLDER'])\n"
        "(marks / f'started-{len(list(marks.glob(\"started-*\")))}').touch()\n"
        "print('about to fall')\n"
        "if len(list(marks.glob('started-*'))) > 1: time.sleep(60)\n"
        "raise SystemExit(7)\n"
    )
    task = asyncio.create_task(child.keep_running())
    await until(lambda: len(list(tmp_path.glob("started-*"))) == 2)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert len(said) == 1
    assert "ended with status 7" in said[0]
    assert "service | about to fall" in said[0]
    assert "about to fall" in (tmp_path / "service.log").read_text()


async def test_a_child_that_keeps_dying_is_given_up(make, monkeypatch):
    monkeypatch.setattr(children, "LONGEST_PAUSE", 0.01)
    with pytest.raises(Unavailable, match=r"status 3\. It will not be started again") as caught:
        await make("raise SystemExit(3)").keep_running()
    assert caught.value.code == "unavailable"


async def test_a_wrong_setting_is_not_tried_again(make, said):
    child = make("import sys; print('ACADEMY_X: wrong.', file=sys.stderr); sys.exit(2)")
    with pytest.raises(SettingsError, match=r"^ACADEMY_X: wrong\.$"):
        await child.keep_running()
    assert said == []


async def test_stopping_asks_first_and_lets_the_child_finish(make, tmp_path):
    child = make(
        "import os, pathlib, signal, sys, time\n"
        "folder = pathlib.Path(os.environ['FOLDER'])\n"
        "def end(*_):\n"
        "    time.sleep(0.3)\n"
        "    (folder / 'handed-back').touch()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "(folder / 'running').touch()\n"
        "time.sleep(60)\n"
    )
    task = asyncio.create_task(child.keep_running())
    await until((tmp_path / "running").exists)
    task.cancel()
    await asyncio.wait({task})
    assert (tmp_path / "handed-back").exists()


async def test_a_child_that_ignores_the_request_is_killed(make, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "GRACE", 0.3)
    child = make(
        "import os, pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "(pathlib.Path(os.environ['FOLDER']) / str(os.getpid())).touch()\n"
        "time.sleep(60)\n"
    )
    task = asyncio.create_task(child.keep_running())
    await until(lambda: any(p.name.isdigit() for p in tmp_path.iterdir()))
    pid = next(int(p.name) for p in tmp_path.iterdir() if p.name.isdigit())
    task.cancel()
    await asyncio.wait({task})
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PARENT = """
import asyncio, os, sys
from pathlib import Path
from academy.commands.children import Child
code = '''
import os, pathlib, signal, sys, time
from academy.commands.parent import end_with_parent
folder = pathlib.Path(os.environ["FOLDER"])
def end(*_):
    (folder / "in-order").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
end_with_parent()
(folder / "running").touch()
time.sleep(600)
'''
folder = Path(os.environ["FOLDER"])
child = Child("service", [sys.executable, "-c", code], environment=os.environ,
              log=folder / "log", report=print)
asyncio.run(child.keep_running())
"""


def test_a_child_ends_in_order_when_its_parent_is_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], env=os.environ | {"FOLDER": str(tmp_path)}
    )
    try:
        wait_for(tmp_path / "running")
    finally:
        parent.send_signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            parent.wait(30)
    wait_for(tmp_path / "in-order")


def wait_for(file):
    for _ in range(1200):
        if file.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{file.name} never appeared")
