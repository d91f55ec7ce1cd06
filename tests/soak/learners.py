"""Learners who watch while everything breaks: what the API acknowledged is compared with what it kept.

204 means written, to the database's journal. So whatever is killed afterwards, nothing may be missing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import httpx

from tests.soak.town import Town, token

PIECE = 2.0
"""Seconds of the lecture that a report adds."""
PIECES = 4
"""Reports of one visit to the page: each repeats the whole visit, as the portal's player does."""
PAUSE = 0.4


@dataclass
class Learner:
    """One account that watches one lecture, visit after visit, each where the last one ended."""

    town: Town
    lecture_id: str
    subject: str
    acknowledged: dict[float, float] = field(default_factory=dict)
    """From a piece's first second to when a report with it was acknowledged last."""
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

    def missing(self) -> list[str]:
        """What was acknowledged and is not there."""
        with httpx.Client(base_url=self.town.url, headers=self._headers, timeout=60) as client:
            kept = self._kept(client)
        return [
            f"progress of {self.subject}: {start:.0f} s on was acknowledged at {at:.0f}"
            for start, at in self.acknowledged.items()
            if start not in kept
        ]

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
                    # A player that was not heard says it again with the next report.
                    heard = False
                    while not heard:
                        heard = self._report(client, begun, at)
                        if self._ended.wait(PAUSE):
                            return

    def _report(self, client: httpx.Client, begun: float, at: float) -> bool:
        """Whether it was acknowledged."""
        body = {"position": at, "watched": [[begun, at]], "session": f"{begun:.0f}"}
        try:
            answer = client.put(f"/v1/me/progress/{self.lecture_id}", json=body)
        except httpx.TransportError:
            return False
        if answer.status_code != 204:
            return False
        now = time.monotonic()
        pieces = round((at - begun) / PIECE)
        self.acknowledged |= {begun + number * PIECE: now for number in range(pieces)}
        return True
