"""What operators see of the queue and the transcoders, and how they steer jobs.

Ages and times in seconds. Times come from the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from academy.jobs import Failure, Job, JobState
from academy.recordings import Recording
from academy.store_values import Page, Position

AWAY_AFTER: Final = timedelta(seconds=20)
"""Without a sign of life a transcoder counts as away: four of its reports are missing."""
REPORT_EVERY: Final = 5.0
"""Seconds between two signs of life of a transcoder."""


@dataclass(frozen=True, slots=True)
class Queue:
    """`ready` may be claimed now; `waiting` is queued behind a pause after a failure."""

    states: Mapping[JobState, int]
    ready: int
    waiting: int
    oldest: float | None
    """For how long the longest waiting ready job has been waiting."""
    stale: int
    """Running jobs whose lease has expired: nobody works on them until they are claimed again."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Jobs that failed for good, by code."""


@dataclass(frozen=True, slots=True)
class Transcoder:
    """A transcoder process as it last told of itself."""

    id: str
    started_at: datetime
    seen_at: datetime
    away: bool
    leases: int
    """Jobs in its hands."""
    encoders: int | None
    """Chunks its engine can encode at once; None while the engine does not answer."""
    encoder: str
    """Version of its ffmpeg."""
    profile: str


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job with what it belongs to. Of a lecture that was deleted only the job is left."""

    job: Job
    last_failure: Failure | None
    """Also of attempts that were repeated; `detail` holds the last lines ffmpeg wrote."""
    superseded: bool
    """A later job of the same recording exists: this one is history."""
    course: str | None
    title: Mapping[str, str]
    filename: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Again:
    """A lecture whose recording can be transcoded again: what it plays now is `media_id`."""

    lecture_id: str
    recording: Recording
    media_id: str
    campaign: str | None
    """That of the newest job of this recording."""
    state: JobState


class OperatorStore(Protocol):
    async def queue(self) -> Queue: ...
    async def transcoders(self) -> Sequence[Transcoder]:
        """Newest sign of life first; those away for a day are forgotten."""

    async def report(
        self, transcoder_id: str, *, leases: int, encoders: int | None, encoder: str, profile: str
    ) -> None:
        """A transcoder's sign of life."""

    async def leave(self, transcoder_id: str) -> None:
        """It stopped in order."""

    async def jobs(
        self, state: JobState | None, *, limit: int, after: Position | None = None
    ) -> Page[JobReport]:
        """Newest first."""

    async def chosen(
        self, states: Sequence[JobState], *, code: str | None = None, course: str | None = None
    ) -> Sequence[Job]:
        """The newest job of each recording, where it is in one of these states; oldest first.

        Of lectures that exist, and of their newest recordings only. `code`: of its failure.
        """

    async def named(self, name: str) -> Job:
        """The newest job of a job's, recording's or lecture's id. NotFound."""

    async def requeue(self, job_id: str) -> bool:
        """running -> queued, taken from whoever has it and not counted as an attempt; a queued job
        that pauses after a failure is due at once. False when there was nothing to do. NotFound.
        """

    async def candidates(self, course: str | None = None) -> Sequence[Again]:
        """Lectures that play something, in the order of their ids."""

    async def transcode_again(
        self, again: Again, *, profile: str | None, campaign: str
    ) -> Job | None:
        """Queues the recording behind everything that instructors wait for. None when its newest job
        belongs to this campaign already, or is active.
        """

    async def campaign(self, name: str) -> Mapping[JobState, int]:
        """How many jobs of it are in which state."""
