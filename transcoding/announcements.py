"""What a task tells its dispatcher while it runs, through the events of Dask.

Lost events cost nothing but a late progress bar; starts are counted to find chunks that kill workers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from academy.tallies import STORAGE_ERRORS
from transcoding.tasks import Task, TaskKind

TOPIC: Final = "academy"
EVERY: Final = 1.0
"""Seconds."""


class Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    media_id: str
    kind: TaskKind
    chunk: int
    attempt: int
    execution: int
    start: float = 0.0
    end: float = 0.0
    """Of the chunk, seconds."""
    of: int = 0
    """Segments of the chunk."""
    segments: int = 0
    """Recorded since the last event."""
    ahead: float | None = None
    """How many segments are encoded beyond the recorded ones. None with no segments: it just began."""

    storage_errors: dict[str, int] = {}
    """By kind, in the worker's process since it told them last: it serves no metrics itself."""

    @property
    def began(self) -> bool:
        return self.ahead is None and not self.segments and not self.storage_errors


class Announcer:
    """Made in the task's own thread; may be used from any. Silent where there is no Dask worker."""

    def __init__(self, task: Task) -> None:
        from distributed import get_worker

        self._task = task
        self._recorded = 0
        self._told = time.monotonic()
        self._worker: Any = None
        try:
            self._worker = get_worker()
        except ValueError:
            return

    def began(self) -> None:
        self._tell()

    def recorded(self, segments: int) -> None:
        self._recorded += segments
        self._tell(segments=segments)

    def encoded(self, segments: float) -> None:
        """Of this task in all, recorded or not. Passed on about once a second."""
        if time.monotonic() >= self._told + EVERY:
            self._told = time.monotonic()
            self._tell(ahead=max(0.0, round(segments - self._recorded, 3)))

    def ended(self) -> None:
        """Nothing but what the storage refused: the task's result says the rest."""
        if self._worker is not None and (errors := STORAGE_ERRORS.take()):
            self._tell(storage_errors=errors)

    def _tell(
        self,
        *,
        segments: int = 0,
        ahead: float | None = None,
        storage_errors: Mapping[str, int] | None = None,
    ) -> None:
        if self._worker is None:
            return
        event = Event(
            media_id=self._task.media_id,
            kind=self._task.kind,
            chunk=self._task.chunk.index,
            start=float(self._task.plan.grid.start(self._task.first)),
            end=float(self._task.plan.grid.start(self._task.end)),
            of=self._task.chunk.segments,
            attempt=self._task.attempt,
            execution=self._task.execution,
            segments=segments,
            ahead=ahead,
            storage_errors=dict(storage_errors or {}),
        )
        self._worker.log_event(TOPIC, event.model_dump(mode="json"))
