"""Uploads under way while everything breaks: each is repeated until the API has taken it in."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.town import Town

MOST_TRIES = 40
PAUSE = 1.0


@dataclass
class Upload:
    file: Path
    title: str
    frames: int
    lecture_id: str | None = None
    """Set once the API has acknowledged the whole."""
    said: str = ""
    """What the command said last when it failed."""

    @property
    def notes(self) -> Path:
        """Which of its parts were acknowledged, as `noting.py` tells it."""
        return self.file.with_suffix(".parts")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


@dataclass
class Uploads:
    """`parallel` at a time, in the order given."""

    town: Town
    course: str
    all: list[Upload]
    room: Callable[[int], bool]
    """Whether another may begin, when so many have."""
    parallel: int = 3
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(self.parallel)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._next >= len(self.all):
                    return
                while not self.room(self._next):
                    time.sleep(PAUSE)
                upload = self.all[self._next]
                self._next += 1
            self._send(upload)

    def _send(self, upload: Upload) -> None:
        arguments = ["upload", str(upload.file), "--course", self.course, "--title", upload.title]
        for _ in range(MOST_TRIES):
            sent = self.town.run(
                *(*arguments, "--language", "en", "--publish", "--api", self.town.url),
                notes=upload.notes,
            )
            if sent.returncode == 0:
                upload.lecture_id = sent.stdout.strip().splitlines()[-1]
                return
            upload.said = (sent.stderr or sent.stdout)[-500:]
            time.sleep(PAUSE)
