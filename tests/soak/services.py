"""The services of one installation as processes that may be killed and are then started again."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.journeys.installation import PATIENCE

LINGER = 15.0
"""Seconds after which a killed service's descendants outlive it."""


@dataclass
class Service:
    """One process, started again whenever it ends. `command` may name other ports each time."""

    name: str
    command: Callable[[], Sequence[str]]
    env: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    outlived: list[str] = field(default_factory=list)
    """Commands of descendants that outlived a kill."""
    _wanted: threading.Event = field(default_factory=threading.Event)
    _watch: threading.Thread | None = None
    _lingering: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._wanted.set()
        self._spawn()
        self._watch = threading.Thread(target=self._keep, daemon=True)
        self._watch.start()

    def _spawn(self) -> None:
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command()), env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=log
            )

    def _keep(self) -> None:
        while self._wanted.is_set():
            assert self.process is not None
            self.process.wait()
            if self.process.stdin is not None:
                self.process.stdin.close()
            if self._wanted.is_set():
                time.sleep(0.3)
                self._spawn()

    def kill(self) -> bool:
        """SIGKILL to the service alone: what it started must notice by itself. False where it was dead."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        try:
            descendants = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        process.kill()
        gone = threading.Thread(target=self._outliving, args=(descendants,), daemon=True)
        gone.start()
        self._lingering.append(gone)
        return True

    def _outliving(self, descendants: list[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(descendants, timeout=LINGER)
        for each in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.outlived.append(f"{self.name}: {' '.join(each.cmdline())[:200]}")

    def pause(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so many seconds."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)

    def settle(self) -> None:
        """Waits until it is known what outlived the kills."""
        for thread in self._lingering:
            thread.join(LINGER + 5)

    def stop(self) -> None:
        self._wanted.clear()
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
