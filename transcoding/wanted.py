"""Whether a task's work is still wanted: asked about each second, so that ffmpeg ends within two."""

from __future__ import annotations

from typing import Any

from academy.errors import AcademyError
from academy.recording_stores import Journal


class Wanted:
    """False, for good, once the lease is gone or Dask no longer waits for this task."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._task = _DaskTask()
        self._gone = False

    def __bool__(self) -> bool:
        if not self._gone:
            self._gone = self._task.gone or not self._held()
        return not self._gone

    def cancelled(self) -> bool:
        return not self

    def _held(self) -> bool:
        try:
            return self._journal.held()
        except AcademyError:
            # The database does not answer: go on; recording the next receipt will tell.
            return True


class _DaskTask:
    """The task this thread runs for, if it is one.

    Dask lets cancelled tasks run on, and what it no longer wants is only seen in the worker's own
    state: the task has left `executing`, or the worker is closing since its scheduler is gone.
    """

    def __init__(self) -> None:
        from distributed import get_worker
        from distributed.utils import thread_state  # type: ignore[attr-defined]

        self._worker: Any = None
        try:
            self._worker = get_worker()
            self._key = thread_state.key
        except (ValueError, AttributeError):
            return

    @property
    def gone(self) -> bool:
        if self._worker is None:
            return False
        if self._worker.status.name not in {"running", "paused", "closing_gracefully", "init"}:
            return True
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state not in {"executing", "long-running"}
