"""How long after an upload is complete somebody can press play: a recording of two hours against one of
ten minutes, both through a whole installation (`academy up`), uploaded in parts as the portal does."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.registry import Result, benchmark
from bench.transcode_lecture import camera, lecture, looped
from transcoding import binary

SHORT, LONG = 600.0, 7200.0
"""Seconds."""
DRAWN: Final = 20.0
"""Seconds that are drawn; the rest repeats them."""
ROUNDS: Final = 3
PATIENCE: Final = 180.0
LOOK_EVERY: Final = 0.05


@benchmark("transcode.time_to_play.lecture", "transcode.time_to_play.camera")
def time_to_play() -> Iterable[Result]:
    program = binary.find().path
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        folder = Path(place)
        with installation(folder) as portal:
            for make in (lecture, camera):
                drawn = make(folder, program, DRAWN)
                files = {length: looped(drawn, program, length) for length in (SHORT, LONG)}
                waited: dict[float, list[float]] = {SHORT: [], LONG: []}
                for _ in range(ROUNDS):
                    for length, path in files.items():
                        waited[length].append(portal.seconds_to_play(path))
                short, long = (statistics.median(waited[length]) for length in (SHORT, LONG))
                yield Result.of(
                    f"transcode.time_to_play.{make.__name__}", long, "s of 2 h / 10 min", short
                )
                for path in files.values():
                    path.unlink()


class Portal:
    """A running installation, as an administrator sees it."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=600,
            trust_env=False,
        )
        self._call("POST", "/v1/courses", slug="bench", title="Bench", language="en")
        self._call("POST", "/v1/courses/bench/publish")

    def seconds_to_play(self, path: Path) -> float:
        """From the answer that the upload is complete until the growing playlist has a segment.

        The job is cancelled then, so that the next one finds the machine idle.
        """
        lecture_id = self._call("POST", "/v1/courses/bench/lectures", title=path.stem)["id"]
        upload = self._upload(lecture_id, path)
        self._call("POST", f"/v1/uploads/{upload}/complete")
        begun = time.monotonic()
        state = self._until(lecture_id, {"streaming", "ready", "failed"})
        waited = time.monotonic() - begun
        if state["state"] == "failed":
            raise RuntimeError(f"{path.name}: {self._call('GET', self._recording(lecture_id))}")
        playlist = self._client.get(state["hls"]).raise_for_status().text
        rungs = playlist.count("#EXT-X-STREAM-INF")
        print(
            f"  {path.name}: {waited:.2f} s, {rungs} variants, {state['available_duration']:.0f} s",
            file=sys.stderr,
        )
        self._client.post(f"{self._recording(lecture_id)}/cancel").raise_for_status()
        self._until(lecture_id, {"failed", "ready"})
        self._client.delete(f"/v1/lectures/{lecture_id}")
        time.sleep(2)  # ffmpeg has that long to end
        return waited

    def _recording(self, lecture_id: str) -> str:
        return f"/v1/lectures/{lecture_id}/recording"

    def _until(self, lecture_id: str, states: set[str]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            playback: dict[str, Any] = self._call("GET", f"/v1/lectures/{lecture_id}")["playback"]
            if playback["state"] in states:
                return playback
            time.sleep(LOOK_EVERY)
        raise TimeoutError(f"not {states} within {PATIENCE:.0f} s")

    def _upload(self, lecture_id: str, path: Path) -> str:
        about = {"filename": path.name, "size": path.stat().st_size, "content_type": "video/mp4"}
        upload = self._call("POST", f"/v1/lectures/{lecture_id}/uploads", **about)
        numbers = range(1, upload["part_count"] + 1)
        with path.open("rb") as file:
            for number in numbers:
                signed = self._call("POST", f"/v1/uploads/{upload['id']}/parts", numbers=[number])
                part = signed["urls"][0]
                data = file.read(upload["part_size"])
                headers = part.get("headers") or {}
                httpx.request(
                    part["method"], part["url"], content=data, headers=headers, timeout=120
                ).raise_for_status()
        return str(upload["id"])

    def _call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self._client.request(method, path, json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def close(self) -> None:
        self._client.close()


@contextmanager
def installation(folder: Path) -> Iterator[Portal]:
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ACADEMY_")}
    env = {**clean, "ACADEMY_DATA_DIR": str(data)}
    academy = [sys.executable, "-m", "academy.cli"]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*academy, "up", "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(lambda: httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200)
        told = subprocess.run(
            [*academy, "token", "--role", "admin"],
            env=env,
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
        portal = Portal(url, told.stdout.strip())
        try:
            yield portal
        finally:
            portal.close()
    finally:
        process.terminate()
        process.wait(60)


def _wait(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if ready():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError("academy up does not become ready")
