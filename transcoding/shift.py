"""One job from claim to end: the heartbeat beside the pipeline, and how each ending is recorded."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from academy.correlation import working_for
from academy.errors import AcademyError, LeaseLost, RejectedMedia, Unavailable
from academy.jobs import LEASE, Failure, FailureKind, Job, Progress
from academy.media import Media, MediaPlan, Publication, Receipt
from academy.recordings import Inspection
from academy.tracing import UNTRACED, Attributes, Spanned, span, traceparent
from academy.wiring import Backend
from transcoding import profiles
from transcoding.binary import FFmpeg
from transcoding.engine import Engine
from transcoding.ledger import Frozen
from transcoding.metrics import Metrics
from transcoding.pipeline import Assignment, transcode
from transcoding.profiles import Profile

BEAT: Final = LEASE.total_seconds() / 6
"""Seconds between heartbeats when nothing else happens."""
SHORTEST_BEAT: Final = 1.0
"""Progress is written at most this often."""

log = logging.getLogger(__name__)


class Shift:
    """Runs `job`; is the pipeline's ledger at the same time (`transcoding.ledger.Ledger`)."""

    def __init__(
        self,
        job: Job,
        backend: Backend,
        engine: Engine,
        ffmpeg: FFmpeg,
        profile: Profile,
        *,
        bench: str,
        rank: Callable[[], int] = lambda: 0,
        metrics: Metrics | None = None,
        on_planned: Callable[[], None] = lambda: None,
    ) -> None:
        self.job = job
        self._begun = time.monotonic()
        self._planned = False
        self._on_planned = on_planned
        self._metrics = metrics or Metrics()
        self._rank = rank
        self._backend = backend
        self._jobs = backend.stores.jobs
        self._engine = engine
        self._ffmpeg = ffmpeg
        self._profile = profile
        """Unless the job names another."""
        self._bench = bench
        self._progress = job.progress
        self._beat = asyncio.Event()
        self._told: Spanned = UNTRACED

    def planning_for(self, longest: float) -> bool:
        """Whether its plan is not frozen yet, and it has not taken so many seconds about it."""
        return not self._planned and time.monotonic() < self._begun + longest

    def look_up(self) -> None:
        """Something changed in the queue: check at once whether the job is still ours."""
        self._beat.set()

    async def run(self) -> None:
        with (
            working_for(request=self.job.request_id, job=self.job.id),
            span("job", self._attributes(), parent=self.job.traceparent, kind="consumer") as told,
        ):
            self._told = told
            await self._run()

    def _attributes(self) -> Attributes:
        return {
            "academy.lecture_id": self.job.lecture_id,
            "academy.attempt": self.job.attempts,
            "academy.profile": self.job.profile or self._profile.name,
        }

    async def _run(self) -> None:
        work = asyncio.create_task(self._transcode(), name=f"pipeline {self.job.id}")
        heart = asyncio.create_task(self._keep_lease(), name=f"heartbeat {self.job.id}")
        try:
            await asyncio.wait({work, heart}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._metrics.leases_lost.inc()
                log.info("Job %s is no longer ours: stopping its work.", self.job.id)
        except asyncio.CancelledError:
            await _stop(work, heart)
            await self._hand_back()
            raise
        finally:
            await _stop(work, heart)

    async def _keep_lease(self) -> None:
        """Returns when the lease is lost."""
        while True:
            try:
                await self._jobs.extend(self.job, self._progress)
            except LeaseLost:
                return
            except Unavailable as error:
                log.warning("Heartbeat of job %s: %s", self.job.id, error)
            await asyncio.sleep(SHORTEST_BEAT)
            self._beat.clear()
            try:
                await asyncio.wait_for(self._beat.wait(), BEAT - SHORTEST_BEAT)
            except TimeoutError:
                continue

    async def _hand_back(self) -> None:
        try:
            await self._jobs.release(self.job)
        except (LeaseLost, Unavailable) as error:
            log.info("Job %s was not handed back: %s", self.job.id, error)

    async def _transcode(self) -> None:
        begun = time.monotonic()
        try:
            stores = self._backend.stores
            recording = await stores.recordings.get(self.job.recording_id)
            lecture = await stores.courses.lecture(self.job.lecture_id)
            named = self.job.profile
            profile = await asyncio.to_thread(profiles.load, named) if named else self._profile
            publication = await transcode(
                Assignment(
                    source_key=recording.key,
                    filename=recording.filename,
                    attempt=self.job.attempts,
                    workspace=self._workspace,
                    language=lecture.language,
                    rank=self._rank,
                    # What replaces media of the same recording is not shown before it is whole.
                    watched=self.job.replaces is None,
                ),
                engine=self._engine,
                storage=self._backend.storage,
                ledger=self,
                ffmpeg=self._ffmpeg,
                profile=profile,
            )
            await self._jobs.succeed(self.job, publication)
            spent = time.monotonic() - begun
            self._metrics.ended(publication.duration, spent)
            log.info(
                "Job %s succeeded: %.1f s in %.1f s.", self.job.id, publication.duration, spent
            )
        except LeaseLost:
            self._metrics.leases_lost.inc()
            log.info("Job %s was lost to a cancel or another dispatcher.", self.job.id)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is recorded with the job
            await self._failed(error)

    def _workspace(self, media_id: str) -> dict[str, str]:
        if self.job.lease is None:
            raise LeaseLost
        return {
            "kind": "settings",
            "dispatcher": self._bench,
            "job_id": self.job.id,
            "token": self.job.lease.token,
            "media_id": media_id,
            **({"request_id": self.job.request_id} if self.job.request_id else {}),
            **({"traceparent": parent} if (parent := traceparent()) else {}),
        }

    async def _failed(self, error: Exception) -> None:
        failure = failure_of(error)
        self._metrics.failed(failure)
        self._told.failed(failure.code)
        log.warning(
            "Job %s failed (%s, %s): %s%s",
            self.job.id,
            failure.code,
            failure.kind.value,
            failure.message,
            f"\n{failure.detail}" if failure.detail else "",
        )
        if failure.kind is FailureKind.BUG:
            log.error("Job %s failed by our own fault.", self.job.id, exc_info=error)
        try:
            await self._jobs.fail(self.job, failure)
        except (LeaseLost, Unavailable) as ended:
            # Its lease will run out, and whoever claims it next finds the same.
            log.warning("The failure of job %s was not recorded: %s", self.job.id, ended)

    # The pipeline's ledger.

    async def inspected(self, inspection: Inspection) -> None:
        await self._jobs.inspected(self.job, inspection)

    async def frozen(self) -> Frozen | None:
        if self.job.media_id is None:
            return None
        media = await self._backend.stores.media.get(self.job.media_id)
        return self._has_plan(media)

    async def freeze(self, plan: MediaPlan) -> Frozen:
        media = await self._jobs.freeze(
            self.job,
            Media(
                recording_id=self.job.recording_id,
                lecture_id=self.job.lecture_id,
                job_id=self.job.id,
                number=self.job.number,
                plan=plan,
            ),
        )
        return self._has_plan(media)

    def _has_plan(self, media: Media) -> Frozen:
        self._planned = True
        self._on_planned()
        return Frozen(media.id, media.plan)

    async def receipts(self, media_id: str) -> Sequence[Receipt]:
        return await self._backend.stores.media.receipts(media_id)

    async def publication(self, media_id: str) -> Publication | None:
        return (await self._backend.stores.media.get(media_id)).publication

    async def publish(self, publication: Publication) -> None:
        await self._jobs.publish(self.job, publication)

    async def progress(self, progress: Progress) -> None:
        """Kept for the next heartbeat, which comes at once if the last one was a second ago."""
        self._progress = progress
        self._beat.set()


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def failure_of(error: Exception) -> Failure:
    """How a failure is recorded: its type decides whether the job is tried again."""
    detail = getattr(error, "detail", None)
    match error:
        case RejectedMedia():
            return Failure(
                code=error.code, message=error.message, kind=FailureKind.SOURCE, detail=detail
            )
        case AcademyError() if isinstance(kind := getattr(error, "kind", None), FailureKind):
            return Failure(code=error.code, message=error.message, kind=kind, detail=detail)
        case Unavailable():
            return Failure(
                code=error.code,
                message="A service the transcoder needs did not answer.",
                kind=FailureKind.TRANSIENT,
                detail=error.message,
            )
        case _:
            return Failure(
                code="internal_error",
                message="Transcoding failed by a fault of ours, not of your recording. "
                "The operators can see why; you may try again.",
                kind=FailureKind.BUG,
                detail=f"{type(error).__name__}: {error}"[-4000:],
            )
