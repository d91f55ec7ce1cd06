"""The transcoding job: its states, the moves between them, its lease, and how it fails.

The job's document in MongoDB is the queue. Each move is one guarded atomic operation whose filter
holds the old state and, from a worker's side, the lease token (`academy/mongo/jobs.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.ids import new_id

MOST_ATTEMPTS: Final = 8
"""Claims of one job that brought nothing before it fails for good: with the pauses between them, failures
that pass within four minutes are outlived. Claims during which a segment was recorded are not counted."""
MOST_AGAIN: Final = 4
"""Jobs of campaigns that run at once, in all transcoders together: their chunks fill many encoders."""
LEASE: Final = timedelta(seconds=15)
OVERTAKEN: Final = 1_000_000
"""Bytes that put a recording one second further back: an hour at 2 Mb/s is overtaken for 15 minutes."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: Final[dict[JobState, frozenset[JobState]]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
"""A retry is a new job of the same recording, so ended states stay ended."""

ACTIVE: Final = frozenset({JobState.QUEUED, JobState.RUNNING})


class FailureKind(StrEnum):
    """Decides the retry."""

    SOURCE = "source"
    """The file is bad: never."""
    TRANSIENT = "transient"
    """It may pass: with backoff, until MOST_ATTEMPTS."""
    BUG = "bug"
    """Ours: never, and loud."""


class Failure(BaseModel):
    """`message` is a sentence for the instructor; `detail` (stderr's tail) is for operators only."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    kind: FailureKind = FailureKind.BUG
    detail: str | None = None


class Lease(BaseModel):
    """Held by one dispatcher. Expiry is by the database's clock."""

    model_config = ConfigDict(frozen=True)

    token: str
    owner: str
    expires_at: datetime


class Progress(BaseModel):
    """`fraction` 0..1; `speed` in times real time; `eta` in seconds."""

    model_config = ConfigDict(frozen=True)

    stage: str = "queued"
    """queued, inspecting, planning, encoding, publishing."""
    fraction: float = 0.0
    speed: float | None = None
    eta: float | None = None


class Job(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    recording_id: str
    lecture_id: str
    number: int
    """Of the recording."""
    instructor: str = ""
    """Who uploaded the recording: nobody's many uploads make others wait."""
    state: JobState = JobState.QUEUED
    created_at: datetime = Field(default_factory=now)
    due: datetime = Field(default_factory=now)
    """By what the queue is ordered: short recordings overtake long ones, but not for ever."""
    not_before: datetime = Field(default_factory=now)
    attempts: int = 0
    """Claims so far; also names the segments of the running attempt."""
    lease: Lease | None = None
    media_id: str | None = None
    progress: Progress = Field(default_factory=Progress)
    failure: Failure | None = None
    finished_at: datetime | None = None
    request_id: str | None = None
    """Of the request that queued it: the same in all services' logs."""
    traceparent: str | None = None
    """Of the same request, where it is traced."""
    profile: str | None = None
    """Of transcoding; None: the transcoder's own."""
    replaces: str | None = None
    """Media of the same recording that these replace once they are whole (transcoded again)."""
    campaign: str | None = None
    """Names the run of `academy retranscode` that queued it."""
    revision: int = 1

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def due(created_at: datetime, size: int) -> datetime:
    """A place in the queue: as if a recording of `size` bytes had come that much later."""
    return created_at + timedelta(seconds=size / OVERTAKEN)


def backoff(attempts: int) -> timedelta:
    """Before the next claim of a job that failed transiently: 2, 4, 8 … seconds, at most 5 minutes."""
    return timedelta(seconds=min(300, 2**attempts))
