"""Learners who watch while everything breaks: what the API acknowledged is compared with what it kept.

204 means accepted: written within about 250 ms, as the API's documentation promises. So a report may be
missing only where the API was killed right after it, or the database, to whose journal a heartbeat's
write is not bound. While the database is away heartbeats wait in memory, and go with a killed API.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.soak.town import Town, token

PIECE = 2.0
"""Seconds of the lecture that a report adds."""
PIECES = 4
"""Reports of one visit to the page: each repeats the whole visit, as the portal's player does."""
PAUSE = 0.4
WRITTEN = 30.0
"""Seconds after which an acknowledged report is written, on a busy machine, though its writes were cut
off and repeated."""
OUTAGE = 60.0
"""Seconds that the database may be away after it was killed."""
JOURNAL = 5.0
"""Seconds after which what the database acknowledged to the API outlives its own SIGKILL (100 ms
where the machine is idle)."""


@dataclass(frozen=True, slots=True)
class Kills:
    """When the API and the database were killed (`time.monotonic`)."""

    api: Sequence[float]
    mongod: Sequence[float]

    def excuse_read(self, shown: float) -> bool:
        """Whether what the API showed as kept may be missing."""
        return any(shown <= killed <= shown + JOURNAL for killed in self.mongod)

    def excuse(self, acknowledged: float) -> bool:
        """Whether what was acknowledged then may be missing, by what the API promises."""
        for killed in self.api:
            away = any(killed - OUTAGE <= each <= killed for each in self.mongod)
            if acknowledged <= killed <= acknowledged + (OUTAGE if away else WRITTEN):
                return True
        return any(acknowledged <= killed <= acknowledged + WRITTEN for killed in self.mongod)


@dataclass
class Learner:
    """One account that watches one lecture, visit after visit, each where the last one ended."""

    town: Town
    lecture_id: str
    subject: str
    acknowledged: dict[float, float] = field(default_factory=dict)
    """From a piece's first second to when a report with it was acknowledged last."""
    shown: dict[float, float] = field(default_factory=dict)
    """And to when the API first showed it as watched."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._headers = {"Authorization": f"Bearer {token(self.town, 'learner', self.subject)}"}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def missing(self, kills: Kills) -> list[str]:
        """What was acknowledged, or even shown, and is not there, without excuse."""
        with httpx.Client(base_url=self.town.url, headers=self._headers, timeout=60) as client:
            kept = self._kept(client)
        lost = []
        for start, at in self.acknowledged.items():
            shown = self.shown.get(start)
            excused = kills.excuse(at) if shown is None else kills.excuse_read(shown)
            if start not in kept and not excused:
                what = "acknowledged" if shown is None else "shown"
                lost.append(f"progress of {self.subject}: {start:.0f} s on was {what} at {at:.0f}")
        return lost

    def _kept(self, client: httpx.Client) -> set[float]:
        """Of what was acknowledged, the pieces that the API shows as watched."""
        answer = client.get("/v1/me/progress?limit=100").raise_for_status().json()
        ranges = [
            (begin, end)
            for item in answer["items"]
            if item["lecture_id"] == self.lecture_id
            for begin, end in item["watched"]
        ]
        return {
            start
            for start in self.acknowledged
            if any(begin <= start and start + PIECE <= end for begin, end in ranges)
        }

    def _watch(self) -> None:
        at = 0.0
        with httpx.Client(base_url=self.town.url, headers=self._headers, timeout=10) as client:
            while not self._ended.is_set():
                begun = at
                for _ in range(PIECES):
                    at += PIECE
                    self._report(client, begun, at)
                    if self._ended.wait(PAUSE):
                        return
                # Reading one's progress first writes what waits in the same process.
                with suppress(httpx.HTTPError):
                    now = time.monotonic()
                    for start in self._kept(client):
                        self.shown.setdefault(start, now)

    def _report(self, client: httpx.Client, begun: float, at: float) -> None:
        body = {"position": at, "watched": [[begun, at]], "session": f"{begun:.0f}"}
        try:
            answer = client.put(f"/v1/me/progress/{self.lecture_id}", json=body)
        except httpx.TransportError:
            return  # not acknowledged
        if answer.status_code == 204:
            now = time.monotonic()
            pieces = round((at - begun) / PIECE)
            self.acknowledged |= {begun + number * PIECE: now for number in range(pieces)}
