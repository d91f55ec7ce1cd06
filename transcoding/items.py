"""The chunks and stretches of one recording on their way, their order, and how far all of it is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from academy.jobs import Progress
from academy.media import Chunk
from transcoding.tasks import Result, TaskKind

AUDIO_SHARE: Final = 0.1
"""Of the video's effort, per second of the recording."""


@dataclass
class Item:
    """One chunk of one kind on its way."""

    kind: TaskKind
    chunk: Chunk
    rungs: tuple[str, ...] | None = None
    """Of the picture; None: all."""
    share: float = 1.0
    """Of the effort that a second of the whole recording takes."""
    hold_from: float | None = None
    tries: int = 0
    starts: int = 0
    """Executions that began, as far as they were heard."""
    ends: int = 0
    """Executions known to have ended by themselves, or by no fault of the chunk."""
    twins: int = 0
    """Executions besides the first, while it still ran."""
    began: float = 0.0
    """When the first event of its execution came; 0 before."""
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: a second execution shall begin."""
    ahead: float = 0.0
    """Segments encoded but not yet recorded."""
    result: Result | None = None

    @property
    def deaths(self) -> int:
        """Workers that died on it: while it runs, one execution has not ended yet."""
        return self.starts - self.ends - self.twins

    @property
    def effort(self) -> float:
        """What stragglers are compared by."""
        return self.chunk.segments * self.share


def viewers_order(item: Item) -> tuple[float, bool]:
    """As it is watched; sound first, which costs little."""
    return item.chunk.first_segment, item.kind is TaskKind.VIDEO


def longest_first(item: Item) -> tuple[float, bool]:
    """Where nobody watches: what is short comes last, so that all encoders end together."""
    return -item.effort, item.kind is TaskKind.AUDIO


@dataclass
class Meter:
    """Progress over all the work there is. Effort is counted in seconds of the recording."""

    total: float
    segment_seconds: float
    before: float = 0.0
    """Done by earlier attempts."""
    leading: TaskKind = TaskKind.VIDEO
    """Whose seconds tell the speed."""
    done: float = 0.0
    encoded: float = 0.0
    """Seconds of the recording, by this attempt."""
    began: float | None = None
    """When the first execution began: what waits behind other recordings tells no speed."""
    ahead: dict[tuple[TaskKind, int], tuple[float, float]] = field(default_factory=dict)
    """By chunk: seconds encoded that are not recorded yet, and the share of the effort they take."""
    shown: float = 0.0

    def begin(self) -> None:
        if self.began is None:
            self.began = time.monotonic()

    def add(self, item: Item, segments: int) -> None:
        """So many segments were recorded."""
        self.begin()
        length = segments * self.segment_seconds
        self.done += length * item.share
        if item.kind is self.leading:
            self.encoded += length
        self.look_ahead(item, max(0.0, item.ahead - segments))

    def look_ahead(self, item: Item, segments: float) -> None:
        if segments:
            self.begin()
        item.ahead = min(segments, item.chunk.segments)
        seconds = item.ahead * self.segment_seconds
        self.ahead[item.kind, item.chunk.index] = (seconds, item.share)

    def progress(self) -> Progress:
        now = time.monotonic()
        spent = max(now - (self.began or now), 1e-6)
        ahead = sum(seconds * share for seconds, share in self.ahead.values())
        done = min(self.done + ahead, self.total - self.before)
        encoded = self.encoded + sum(
            seconds for (kind, _), (seconds, _) in self.ahead.items() if kind is self.leading
        )
        # What a lost worker had encoded is lost: the bar waits instead of going back.
        self.shown = max(self.shown, (self.before + done) / self.total if self.total else 1.0)
        left = max(0.0, self.total - self.before - done)
        return Progress(
            stage="encoding",
            fraction=round(min(1.0, self.shown), 4),
            speed=round(encoded / spent, 3) if encoded else None,
            eta=round(left * spent / done, 1) if done > 0 else None,
        )
