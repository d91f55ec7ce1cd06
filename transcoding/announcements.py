"""What a task tells its dispatcher while it runs, through the events of Dask.

Lost events cost nothing but a late progress bar; starts are counted to find chunks that kill workers.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from transcoding.tasks import Task, TaskKind

TOPIC: Final = "academy"


class Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    media_id: str
    kind: TaskKind
    chunk: int
    attempt: int
    execution: int
    segments: int = 0
    """Recorded since the last event; 0: the task just began."""


class Announcer:
    """Made in the task's own thread; may be used from any. Silent where there is no Dask worker."""

    def __init__(self, task: Task) -> None:
        from distributed import get_worker

        self._task = task
        self._worker: Any = None
        try:
            self._worker = get_worker()
        except ValueError:
            return

    def began(self) -> None:
        self._tell(0)

    def recorded(self, segments: int) -> None:
        self._tell(segments)

    def _tell(self, segments: int) -> None:
        if self._worker is None:
            return
        event = Event(
            media_id=self._task.media_id,
            kind=self._task.kind,
            chunk=self._task.chunk.index,
            attempt=self._task.attempt,
            execution=self._task.execution,
            segments=segments,
        )
        self._worker.log_event(TOPIC, event.model_dump(mode="json"))
