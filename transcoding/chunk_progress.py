"""How far each chunk is, from what tasks announce: for a person who watches them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from transcoding.announcements import Event
from transcoding.tasks import TaskKind

NAMES: Final = {TaskKind.VIDEO: "picture", TaskKind.AUDIO: "sound"}


@dataclass(frozen=True, slots=True)
class ChunkProgress:
    """One chunk of the picture or stretch of the sound. Times in seconds of the recording."""

    name: str
    """Such as `picture 0:08–0:24`."""
    share: float
    """0..1."""
    speed: float | None
    """Times real time; None while nothing is encoded yet."""


@dataclass
class _Chunk:
    began: float
    segments: float = 0.0


@dataclass(eq=False)
class ChunkWatch:
    """A listener of the engine (`Engine.listen`) that tells of each chunk as it gets on."""

    tell: Callable[[ChunkProgress], None]
    clock: Callable[[], float] = time.monotonic
    _chunks: dict[tuple[TaskKind, int], _Chunk] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        key, now = (event.kind, event.chunk), self.clock()
        if event.began or key not in self._chunks:
            # Also when a chunk is tried again, or a later pass adds renditions to it.
            self._chunks[key] = _Chunk(now)
        chunk = self._chunks[key]
        chunk.segments += event.segments
        done = chunk.segments + (event.ahead or 0.0)
        share = min(1.0, done / event.of) if event.of else 0.0
        length, spent = event.end - event.start, now - chunk.began
        self.tell(
            ChunkProgress(
                name=f"{NAMES[event.kind]} {clock_time(event.start)}–{clock_time(event.end)}",
                share=share,
                speed=share * length / spent if share and spent > 0 else None,
            )
        )


def clock_time(seconds: float) -> str:
    """`1:02:03`, `0:08`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
