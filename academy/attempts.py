"""The attempts to transcode a lecture's newest recording, as its instructors see and steer them."""

from __future__ import annotations

from dataclasses import dataclass

from academy.access import Access
from academy.errors import NotFound
from academy.jobs import Job
from academy.recordings import Recording


@dataclass(frozen=True, slots=True)
class Attempts:
    """Every method raises Unauthenticated, Forbidden or NotFound as `Access` decides."""

    access: Access

    async def recording(self, lecture_id: str) -> Recording:
        """NotFound before the first upload was completed."""
        lecture, _ = await self.access.lecture_to_write(lecture_id)
        recording = await self.access.stores.recordings.newest(lecture.id)
        if recording is None:
            raise NotFound("This lecture has no recording yet: upload one.")
        return recording

    async def latest(self, lecture_id: str) -> tuple[Recording, Job]:
        recording = await self.recording(lecture_id)
        job = await self.access.stores.jobs.newest(recording.id)
        if job is None:
            raise NotFound("This recording was never queued.")
        return recording, job

    async def retry(self, lecture_id: str) -> tuple[Recording, Job]:
        """Conflict while it runs or when it succeeded."""
        recording = await self.recording(lecture_id)
        return recording, await self.access.stores.jobs.retry(recording.id)

    async def cancel(self, lecture_id: str) -> tuple[Recording, Job]:
        """Conflict when it had ended."""
        recording = await self.recording(lecture_id)
        return recording, await self.access.stores.jobs.cancel(recording.id)
