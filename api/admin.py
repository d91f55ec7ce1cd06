"""For administrators: the queue, the transcoders, and jobs with what ffmpeg wrote when they failed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Response
from pydantic import BaseModel, Field

from academy.jobs import FailureKind, JobState
from academy.operating import JobReport, OperatorStore, Queue, Transcoder
from api import paging
from api.answers import answer
from api.context import Context, SignedIn
from api.representations import Listing
from api.routing import ACT, problems, router

routes: Final = router("admin", prefix="/v1/admin")
LIST: Final = problems(400, 401, 403, 422)


class QueueOut(BaseModel):
    states: dict[JobState, int] = Field(description="How many jobs are in each state")
    ready: int = Field(description="Queued, and may be claimed now")
    waiting: int = Field(description="Queued, but pausing after a failure")
    oldest: float | None = Field(
        description="Seconds that the longest waiting ready job has waited"
    )
    stale: int = Field(description="Running, but their lease expired: nobody works on them")
    failures: dict[str, int] = Field(description="Jobs that failed for good, by code")

    @classmethod
    def of(cls, queue: Queue) -> QueueOut:
        return cls.model_validate(queue, from_attributes=True)


class TranscoderOut(BaseModel):
    id: str = Field(description="Host and process")
    started_at: datetime
    seen_at: datetime
    away: bool = Field(description="It has not been heard of for too long")
    leases: int = Field(description="Jobs in its hands")
    encoders: int | None = Field(description="Chunks encoded at once; null while Dask is silent")
    encoder: str = Field(description="Version of its ffmpeg")
    profile: str

    @classmethod
    def of(cls, transcoder: Transcoder) -> TranscoderOut:
        return cls.model_validate(transcoder, from_attributes=True)


class TranscodersOut(BaseModel):
    items: list[TranscoderOut]


class JobFailureOut(BaseModel):
    code: str
    message: str
    kind: FailureKind
    detail: str | None = Field(description="The last lines ffmpeg wrote, or what else is known")


class AdminJobOut(BaseModel):
    id: str
    state: JobState
    stage: str
    progress: float = Field(description="0..1")
    speed: float | None = Field(description="Times real time")
    eta: float | None = Field(description="Seconds")
    attempts: int
    owner: str | None = Field(description="The transcoder that has it")
    created_at: datetime
    not_before: datetime
    finished_at: datetime | None
    request_id: str | None = Field(description="The same in the logs of all services")
    campaign: str | None
    superseded: bool = Field(description="A later job of the same recording exists")
    lecture_id: str
    recording_id: str
    course: str | None = Field(description="Null once the lecture is deleted")
    title: dict[str, str]
    filename: str | None
    size: int | None = Field(description="Bytes")
    failure: JobFailureOut | None = Field(description="The last one, also of a repeated attempt")

    @classmethod
    def of(cls, report: JobReport) -> AdminJobOut:
        job, last = report.job, report.last_failure
        return cls(
            **job.model_dump(
                include={
                    "id", "state", "attempts", "created_at", "not_before", "finished_at",
                    "request_id", "campaign", "lecture_id", "recording_id",
                }
            ),
            stage=job.progress.stage,
            progress=job.progress.fraction,
            speed=job.progress.speed,
            eta=job.progress.eta,
            owner=job.lease.owner if job.lease else None,
            superseded=report.superseded,
            course=report.course,
            title=dict(report.title),
            filename=report.filename,
            size=report.size,
            failure=None if last is None else JobFailureOut(**last.model_dump()),
        )  # fmt: skip


class MovedOut(BaseModel):
    id: str = Field(description="The job; a retry makes a new one")
    changed: bool = Field(description="False when it was so already")


@routes.get("/queue", response_model=QueueOut, responses=problems(401, 403))
async def get_queue(context: SignedIn) -> Response:
    """The queue in figures."""
    return answer(context, QueueOut.of(await _store(context).queue()))


@routes.get("/transcoders", response_model=TranscodersOut, responses=problems(401, 403))
async def list_transcoders(context: SignedIn) -> Response:
    """Those that run, and for a day those that were lost."""
    found = await _store(context).transcoders()
    return answer(context, TranscodersOut(items=[TranscoderOut.of(each) for each in found]))


@routes.get("/jobs", response_model=Listing[AdminJobOut], responses=LIST)
async def list_jobs(
    context: SignedIn,
    state: Annotated[JobState | None, Query(description="Only those in this state")] = None,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """Newest first, with their failures as operators need them."""
    store, keys = _store(context), context.services.backend.keys
    scope = paging.scope_of("jobs", state=state)
    page = await store.jobs(state, limit=limit, after=paging.decode(keys, scope, cursor))
    items = [AdminJobOut.of(each) for each in page.items]
    return answer(
        context,
        Listing[AdminJobOut](items=items, next_cursor=paging.encode(keys, scope, page.next)),
    )


@routes.post("/jobs/{job_id}/retry", response_model=MovedOut, responses=ACT)
async def retry_job(context: SignedIn, job_id: str) -> Response:
    """A new job for the same recording. 409 unless it failed or was cancelled."""
    job = await _store(context).named(job_id)
    made = await context.stores.jobs.retry(job.recording_id)
    return answer(context, MovedOut(id=made.id, changed=True))


@routes.post("/jobs/{job_id}/cancel", response_model=MovedOut, responses=ACT)
async def cancel_job(context: SignedIn, job_id: str) -> Response:
    """Its work stops within seconds. 409 when it has ended."""
    job = await _store(context).named(job_id)
    cancelled = await context.stores.jobs.cancel(job.recording_id)
    return answer(context, MovedOut(id=cancelled.id, changed=True))


@routes.post("/jobs/{job_id}/requeue", response_model=MovedOut, responses=ACT)
async def requeue_job(context: SignedIn, job_id: str) -> Response:
    """Takes a running job from its transcoder; ends a queued job's pause. What was encoded is kept."""
    store = _store(context)
    job = await store.named(job_id)
    return answer(context, MovedOut(id=job.id, changed=await store.requeue(job.id)))


def _store(context: Context) -> OperatorStore:
    context.access.admin()
    return context.services.backend.stores.operating
