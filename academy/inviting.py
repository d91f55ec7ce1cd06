"""Making and revoking invitations, and what their bearers see of the lecture they were invited to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from academy.access import Access
from academy.courses import Course, Lecture, now
from academy.errors import AcademyError
from academy.invitations import Invitation
from academy.jobs import Job
from academy.object_stores import Storage
from academy.recordings import Recording
from academy.stores import Stores


@dataclass(frozen=True, slots=True)
class Errand:
    """Everything an invitation's bearer is shown. `recording` and `job`: of what they sent."""

    invitation: Invitation
    lecture: Lecture
    course: Course
    recording: Recording | None
    job: Job | None


@dataclass(frozen=True, slots=True)
class Inviting:
    """Every method raises Unauthenticated, Forbidden or NotFound as `Access` decides."""

    access: Access
    stores: Stores
    storage: Storage

    async def invite(self, lecture_id: str, *, lifetime: timedelta, note: str) -> Invitation:
        await self.access.lecture_to_write(lecture_id)
        begun = now()
        invitation = Invitation(
            lecture_id=lecture_id,
            note=note,
            created_by=self.access.person().subject,
            created_at=begun,
            expires_at=begun + lifetime,
        )
        await self.stores.invitations.add(invitation)
        return invitation

    async def invitations(self, lecture_id: str) -> Sequence[Invitation]:
        """Newest first."""
        await self.access.lecture_to_write(lecture_id)
        return await self.stores.invitations.of(lecture_id)

    async def revoke(self, invitation_id: str) -> None:
        """Repeatable. What is being sent through it ends; what was completed stays."""
        self.access.person()
        invitation = await self.stores.invitations.get(invitation_id)
        await self.access.lecture_to_write(invitation.lecture_id)
        await self.stores.invitations.revoke(invitation_id)
        for upload in await self.stores.uploads.open_of(invitation.subject):
            try:
                await self.stores.uploads.end(upload.id, expired=False)
                await asyncio.to_thread(self.storage.abort, upload.key, upload.storage_upload_id)
            except AcademyError:
                continue  # completing already, or left to the reconciler

    async def errand(self) -> Errand:
        """Of the invitation that asks."""
        invitation = self.access.invitation()
        lecture = await self.stores.courses.lecture(invitation.lecture_id)
        course = await self.stores.courses.get(lecture.course)
        recording: Recording | None = None
        job: Job | None = None
        if invitation.used_by is not None:
            upload = await self.stores.uploads.get(invitation.used_by)
            job = await self.stores.jobs.newest(upload.recording_id)
            if job is not None:
                recording = await self.stores.recordings.get(upload.recording_id)
        return Errand(invitation, lecture, course, recording, job)
