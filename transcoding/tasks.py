"""What travels to a worker and back: plain data, checked at both ends. A result is well below 10 kB."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from academy.correlation import working_for
from academy.errors import AcademyError, LeaseLost, RejectedMedia, SettingsError, Unavailable
from academy.jobs import FailureKind
from academy.media import Chunk, MediaPlan, VideoRendition
from academy.recordings import Inspection
from academy.tracing import Attributes, join, span
from transcoding import binary
from transcoding.anchor import Anchor
from transcoding.binary import FFmpeg
from transcoding.ffmpeg import Cancelled, EncodingFailed

log = logging.getLogger(__name__)


class TaskKind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


class Task(BaseModel):
    """One chunk of the video, or one stretch of the audio."""

    model_config = ConfigDict(frozen=True)

    kind: TaskKind
    media_id: str
    workspace: dict[str, str]
    """Where to read, write and report (`transcoding.workspaces`)."""
    source_key: str
    plan: MediaPlan
    inspection: Inspection
    chunk: Chunk
    rungs: tuple[str, ...] | None = None
    """Ids of the rungs to encode; None: all of the plan's."""
    attempt: int
    execution: int = 0
    """How often the pipeline sent this chunk before, in this attempt."""
    hold_from: float | None = None
    """Seconds. Set once the source is known to end before the chunk does: from there, the last picture
    is held and silence added, without limit.
    """
    anchor: Anchor | None = None
    """Of the sound's frames, where the container's clock is coarse."""
    ffmpeg: str | None = None
    """Path, for workers in the dispatcher's own process; others find their own."""

    @property
    def video(self) -> list[VideoRendition]:
        """The rungs to encode."""
        return [r for r in self.plan.video if self.rungs is None or r.id in self.rungs]

    @property
    def first(self) -> int:
        return self.chunk.first_segment

    @property
    def end(self) -> int:
        """The segment behind the last."""
        return self.chunk.first_segment + self.chunk.segments


class Outcome(StrEnum):
    DONE = "done"
    SHORT = "short"
    """The source ended before the chunk did, by more than may be made up silently."""
    STOPPED = "stopped"
    """Cancelled, or the lease was lost."""
    FAILED = "failed"


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    segments: int = 0
    """Encoded and recorded by this task."""
    ends_at: float | None = None
    """Seconds: where the source ended, for SHORT."""
    cpu_seconds: float = 0.0
    complaints: int = 0
    """Lines of ffmpeg about damage in the source."""
    failure: FailureKind | None = None
    code: str = ""
    message: str = ""
    detail: str = ""


class WrongEncoder(AcademyError):
    """This worker's ffmpeg is not the one the plan was made for: two builds' segments do not mix."""

    code = "wrong_encoder"


def local_ffmpeg(task: Task) -> FFmpeg:
    """Raises WrongEncoder, SettingsError."""
    path = Path(task.ffmpeg) if task.ffmpeg else None
    if path is None or not path.exists():
        from academy.settings import Settings

        path = Settings.load().ffmpeg
    found = binary.find(path)
    if found.fingerprint != task.plan.encoder:
        raise WrongEncoder(
            f"This worker has ffmpeg {found.version} ({found.fingerprint}), but the plan was made "
            f"with {task.plan.encoder}: give all workers the same build.",
        )
    return found


def reported(work: Callable[[Task], Result], data: dict[str, Any]) -> dict[str, Any]:
    """The result as plain data. Expected failures are results, too: Dask would log them as crashes."""
    task = Task.model_validate(data)
    reference = task.workspace
    join(reference.get("traceparent"))
    with (
        working_for(request=reference.get("request_id"), job=reference.get("job_id")),
        span(f"encode {task.kind}", _attributes(task), parent=reference.get("traceparent")) as told,
    ):
        try:
            result = _result(work, task)
        finally:
            _tell_end(task)
        told.tell({"academy.outcome": result.outcome, "academy.segments": result.segments})
        if result.outcome is Outcome.FAILED:
            told.failed(result.code)
        if result.outcome is Outcome.FAILED:
            log.warning(
                "%s chunk %d of media %s failed (%s): %s%s",
                task.kind,
                task.chunk.index,
                task.media_id,
                result.code,
                result.message,
                f"\n{result.detail}" if result.detail else "",
            )
    return result.model_dump(mode="json")


def _tell_end(task: Task) -> None:
    from transcoding.announcements import Announcer  # which knows tasks

    Announcer(task).ended()


def _attributes(task: Task) -> Attributes:
    return {
        "academy.media_id": task.media_id,
        "academy.chunk": task.chunk.index,
        "academy.attempt": task.attempt,
        "academy.execution": task.execution,
    }


def _result(work: Callable[[Task], Result], task: Task) -> Result:
    try:
        result = work(task)
    except (Cancelled, LeaseLost) as error:
        result = Result(outcome=Outcome.STOPPED, code=error.code, message=error.message)
    except EncodingFailed as error:
        result = failed(error, error.kind, error.detail)
    except RejectedMedia as error:
        result = failed(error, FailureKind.SOURCE)
    except (Unavailable, WrongEncoder, SettingsError) as error:
        # This worker's trouble: another one may be set up as it should be.
        result = failed(error, FailureKind.TRANSIENT)
    except AcademyError as error:
        result = failed(error, FailureKind.BUG)
    except OSError as error:
        # A full disk, too many open files: this machine's trouble.
        result = Result(
            outcome=Outcome.FAILED,
            failure=FailureKind.TRANSIENT,
            code="worker_trouble",
            message=f"A worker could not go on: {error}.",
        )
    return result


def failed(error: AcademyError, kind: FailureKind, detail: str = "") -> Result:
    return Result(
        outcome=Outcome.FAILED,
        failure=kind,
        code=error.code,
        message=error.message[:1000],
        detail=detail[-4000:],
    )
