"""A lecture's newest recording on its way to becoming playable: state, events, retry, cancel."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Response
from pydantic import BaseModel, Field

from academy import failures
from academy.findings import in_language
from academy.jobs import Failure, Job, JobState
from academy.recordings import Inspection, Recording
from api.answers import answer
from api.context import Context, Writer
from api.events import EVENT_STREAM, Event, event_stream
from api.languages import Languages
from api.routing import ACT, Responses, router

routes: Final = router("recordings")
EVENTS: Final[Responses] = {
    200: {
        "description": "Server-sent events; the data of each is a Recording",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


class FailureOut(BaseModel):
    """`message` is a sentence for the instructor, in the reader's language."""

    code: str
    message: str

    @classmethod
    def of(cls, failure: Failure, languages: Languages) -> FailureOut:
        return cls(code=failure.code, message=failures.sentence(failure, languages.wanted))


class RecordingOut(BaseModel):
    id: str
    state: JobState
    stage: str = Field(description="queued, inspecting, planning, encoding or publishing")
    progress: float = Field(ge=0, le=1)
    speed: float | None = Field(description="Times real time")
    eta: float | None = Field(description="Seconds")
    filename: str
    size: int
    inspection: Inspection | None
    failure: FailureOut | None

    @classmethod
    def of(cls, recording: Recording, job: Job, languages: Languages) -> RecordingOut:
        """Findings and failure in the reader's language."""
        failure, inspection = job.failure, recording.inspection
        if inspection is not None:
            found = in_language(inspection.findings, languages.wanted)
            inspection = inspection.model_copy(update={"findings": found})
        return cls(
            id=recording.id,
            state=job.state,
            stage=job.progress.stage,
            progress=job.progress.fraction,
            speed=job.progress.speed,
            eta=job.progress.eta,
            filename=recording.filename,
            size=recording.size,
            inspection=inspection,
            failure=FailureOut.of(failure, languages) if failure else None,
        )


@routes.get("/lectures/{lecture_id}/recording", response_model=RecordingOut, responses=ACT)
async def get_recording(context: Writer, lecture_id: str) -> Response:
    """404 before the first upload was completed."""
    recording, job = await context.attempts.latest(lecture_id)
    return _shown(context, recording, job)


@routes.get(
    "/lectures/{lecture_id}/recording/events",
    response_class=Response,
    responses=EVENTS | ACT,
)
async def follow_recording(
    context: Writer,
    lecture_id: str,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event seen; it is not sent again")
    ] = None,
) -> Response:
    """The recording now and after each change, until transcoding ends. A heartbeat every 15 s.

    Each event carries the whole state, so after a pause only the newest one matters.
    """
    recording = await context.attempts.recording(lecture_id)
    stores = context.stores

    async def event(job: Job) -> Event:
        # The inspection appears while the job runs, so the recording is read with it.
        current = await stores.recordings.get(recording.id)
        data = RecordingOut.of(current, job, context.languages).model_dump_json()
        return Event(id=f"{job.id}-{job.revision}", data=data)

    return event_stream(
        stores.jobs.follow(recording.id),
        event,
        last_event_id=last_event_id,
        closing=context.services.closing,
    )


@routes.post(
    "/lectures/{lecture_id}/recording/retry",
    response_model=RecordingOut,
    status_code=202,
    responses=ACT,
)
async def retry_recording(context: Writer, lecture_id: str) -> Response:
    """Transcodes the same file again. 409 while it runs or when it succeeded."""
    recording, job = await context.attempts.retry(lecture_id)
    return _shown(context, recording, job, status=202)


@routes.post("/lectures/{lecture_id}/recording/cancel", response_model=RecordingOut, responses=ACT)
async def cancel_recording(context: Writer, lecture_id: str) -> Response:
    """Ends the transcoding. 409 when it had ended."""
    recording, job = await context.attempts.cancel(lecture_id)
    return _shown(context, recording, job)


def _shown(context: Context, recording: Recording, job: Job, *, status: int = 200) -> Response:
    """Under the job's revision, which grows with whatever of the two can be seen."""
    document = RecordingOut.of(recording, job, context.languages)
    return answer(context, document, revision=job.revision, status=status)
