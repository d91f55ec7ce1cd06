"""A whole installation as a person has it: `academy up` in its own folder, driven by its commands."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

ACADEMY = [sys.executable, "-m", "academy.cli"]
PATIENCE = 120
"""Seconds after which something hangs for sure; nothing here measures speed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Installation:
    """`academy up` with its data under `folder`; survives `stop()` and `start()`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ACADEMY_")},
            "ACADEMY_DATA_DIR": str(self.data),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    def start(self, *arguments: str) -> Self:
        log = (self.folder / "up.log").open("ab")
        self.process = subprocess.Popen(
            [*ACADEMY, "up", "--port", str(self.port), *arguments],
            env=self.env,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        log.close()
        with httpx.Client(base_url=self.url) as anyone:
            wait_until(
                lambda: self._ready(anyone),
                f"the portal of {self.folder} answers",
                also=self.log,
            )
        return self

    def _ready(self, anyone: httpx.Client) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"academy up ended:\n{self.log()}"
        try:
            return anyone.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def log(self) -> str:
        files = [self.folder / "up.log", *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"{file}:\n{file.read_text(errors='replace')[-4000:]}" for file in files)

    def stop(self) -> int:
        """As Ctrl-C does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self.process = None
        self.close()
        return code

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process = None

    def child(self, command: str) -> psutil.Process:
        """The process of one service, such as `transcoder`."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if command in process.cmdline():
                return process
        raise LookupError(f"academy up runs no {command}")

    def run(
        self, *arguments: str, check: bool = True, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [*ACADEMY, *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check:
            assert result.returncode == 0, (
                f"{arguments}\n{result.stdout}\n{result.stderr}\n{self.log()}"
            )
        return result

    def token(self, role: str, subject: str | None = None) -> str:
        extra = ["--subject", subject] if subject else []
        return self.run("token", "--role", role, *extra).stdout.strip()

    @property
    def client(self) -> httpx.Client:
        """Signed in as an administrator."""
        if self._client is None:
            self._client = httpx.Client(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self.token('admin')}"},
                timeout=30,
                follow_redirects=True,
                # Before the server closes it, after five seconds: a request may cross that.
                limits=httpx.Limits(keepalive_expiry=2),
            )
        return self._client

    def add_course(self, slug: str) -> None:
        answer = self.client.post(
            "/v1/courses",
            json={"slug": slug, "title": {"zh": "旅程", "en": "Journey"}, "language": "zh"},
        )
        assert answer.status_code == 201, answer.text
        published = self.client.post(f"/v1/courses/{slug}/publish")
        assert published.status_code == 200, published.text

    def lecture(self, lecture_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/lectures/{lecture_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def recording(self, lecture_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/lectures/{lecture_id}/recording")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def settled(self, lecture_id: str, state: str) -> dict[str, Any]:
        """Waits until the newest recording's job ended, which must be in `state`."""

        def ended() -> dict[str, Any] | None:
            recording = self.recording(lecture_id)
            return None if recording["state"] in {"queued", "running"} else recording

        recording: dict[str, Any] = wait_until(ended, "the job ends", also=self.log, patience=200)
        assert recording["state"] == state, f"{recording}\n{self.log()}"
        return recording

    def parts_on_disk(self) -> list[Path]:
        """Parts of uploads that have arrived whole."""
        return [p for p in self.data.rglob("*") if re.fullmatch(r"\d{5}-[0-9a-f]{32}-\d+", p.name)]

    def segments(self) -> set[str]:
        """Objects of media segments, relative to the data directory."""
        return {str(path.relative_to(self.data)) for path in self.data.rglob("*.m4s")}

    def uploaded(self, result: subprocess.CompletedProcess[str]) -> str:
        """The lecture's id: what `academy upload` prints last."""
        return result.stdout.strip().splitlines()[-1]


def wait_until(condition: Any, what: str, *, also: Any = None, patience: float = PATIENCE) -> Any:
    """The condition's first true value. Fails after `patience` seconds of hanging."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}\n{also() if also else ''}")


def summary(text: str) -> dict[str, Any]:
    """The JSON object that `academy transcode` prints last."""
    body: dict[str, Any] = json.loads(text[text.index("{") :])
    return body
