"""The stores of recordings on their way, as Protocols: uploads, jobs, media, captions, receipts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from academy.captions import CaptionFile
from academy.invitations import Invitation
from academy.jobs import Failure, Job, Progress
from academy.media import Media, Publication, Receipt
from academy.recordings import Inspection, Recording
from academy.uploads import Part, Upload


class UploadStore(Protocol):
    async def begin(self, lecture_id: str) -> int:
        """The next upload's number of a lecture (atomic)."""

    async def add(self, upload: Upload) -> None: ...
    async def get(self, upload_id: str) -> Upload: ...
    async def arriving(self, upload_id: str, parts: Sequence[Part]) -> Upload:
        """What has arrived of an open upload without a plan: from now on it counts as being stored.
        Any other upload stays as it is.
        """

    async def completing(self, upload_id: str, parts: Sequence[Part]) -> Upload:
        """open -> completing, saving the part list; returns the upload as it is if already past that."""

    async def completed(self, upload: Upload) -> Recording:
        """One transaction: upload completed, recording inserted (unique upload_id), job queued.

        Repeatable: returns the same recording.
        """

    async def end(self, upload_id: str, *, expired: bool) -> Upload:
        """open -> aborted | expired. Conflict once completing."""

    async def unfinished(self, *, older_than: timedelta) -> Sequence[Upload]:
        """In `completing` for longer than this: the reconciler drives them forward."""

    async def overdue(self) -> Sequence[Upload]:
        """Open past their `expires_at`."""

    async def reopen(self, upload_id: str) -> Upload:
        """completing -> open: the object store turned out not to have what was promised."""

    async def leftovers(self) -> Sequence[Upload]:
        """Aborted or expired, and the object store was not cleaned of their parts yet."""

    async def cleaned(self, upload_id: str) -> None:
        """It was now."""

    async def open_of(self, subject: str) -> Sequence[Upload]:
        """Begun by this account or invitation and open still."""

    async def open_for(self, lecture_id: str) -> Sequence[Upload]:
        """Of this lecture and open still, newest first, at most 20."""


class InvitationStore(Protocol):
    async def add(self, invitation: Invitation) -> None: ...
    async def get(self, invitation_id: str) -> Invitation: ...
    async def of(self, lecture_id: str) -> Sequence[Invitation]:
        """Newest first, at most 200."""

    async def revoke(self, invitation_id: str) -> None:
        """Repeatable."""

    async def use(self, invitation_id: str, upload_id: str) -> Invitation:
        """For this upload and no other (atomic, repeatable). Conflict when it is used or revoked."""

    async def release(self, invitation_id: str, upload_id: str) -> None:
        """That upload came to nothing: the invitation may be used again."""


class RecordingStore(Protocol):
    async def get(self, recording_id: str) -> Recording: ...
    async def newest(self, lecture_id: str) -> Recording | None:
        """By number."""


class JobStore(Protocol):
    async def get(self, job_id: str) -> Job: ...
    async def newest(self, recording_id: str) -> Job | None: ...
    async def retry(self, recording_id: str) -> Job:
        """A new queued job. Conflict while one is active or when the last one succeeded."""

    async def cancel(self, recording_id: str) -> Job:
        """queued | running -> cancelled, which also ends the lease. Conflict when it already ended."""

    # From here on: the dispatcher's side, all guarded by state and lease token (LeaseLost).
    async def claim_next(self, owner: str) -> Job | None:
        """Requeues jobs whose lease expired (fails them past MOST_ATTEMPTS), then queued -> running:
        first of instructors with fewest running jobs, highest number of attempts last, by `due`; with
        a fresh lease and attempts + 1.
        """

    async def extend(self, job: Job, progress: Progress | None = None) -> None:
        """The heartbeat: a new expiry and, if given, the progress."""

    async def inspected(self, job: Job, inspection: Inspection) -> None: ...
    async def freeze(self, job: Job, media: Media) -> Media:
        """Inserts the media with its plan and sets the job's `media_id`, once: a later attempt
        with a frozen plan gets that one back unchanged.
        """

    async def publish(self, job: Job, publication: Publication) -> bool:
        """One transaction: the media's next revision published (compare-and-set: Conflict when the
        current one is not `publication.revision - 1`), the lecture's reference flipped as in
        `succeed`. The job runs on.
        """

    async def succeed(self, job: Job, publication: Publication) -> bool:
        """One transaction: media published unless they are in this revision or a newer one, the
        lecture's reference flipped if its number is lower (returns whether), durations and counters
        follow, job succeeded.
        """

    async def fail(self, job: Job, failure: Failure) -> Job:
        """running -> failed, or back to queued with backoff for a transient failure with attempts left."""

    async def release(self, job: Job) -> None:
        """running -> queued at once, not counting the attempt: a dispatcher that shuts down hands back."""

    def changes(self) -> AsyncIterator[None]:
        """Yields once at the start, then whenever a job was queued, cancelled or ended (change stream),
        and at least every 5 s.
        """

    def follow(self, recording_id: str) -> AsyncIterator[Job]:
        """The newest job of a recording now and after each change, until it ends."""


class MediaStore(Protocol):
    async def get(self, media_id: str) -> Media: ...
    async def receipts(
        self, media_id: str, *, since: Mapping[str, int] | None = None
    ) -> Sequence[Receipt]:
        """By track, then number. `since`: of these tracks only, and from these numbers on (a receipt
        never changes, so whoever kept the others need not read them again).
        """

    async def revise(self, media_id: str, publication: Publication) -> None:
        """Compare-and-set: Conflict unless `publication.revision - 1` is what is published now."""


class CaptionStore(Protocol):
    """What was uploaded, and which lectures are due to be given theirs (`academy.captioning`)."""

    async def of(self, lecture_id: str) -> Sequence[CaptionFile]:
        """By language; also those that were removed."""

    async def put(self, file: CaptionFile) -> None:
        """Replaces its language's and makes the lecture due. NotFound without the lecture."""

    async def due(self) -> Sequence[str]:
        """Ids of lectures whose captions changed, or whose media did; at most 100."""

    async def version(self, lecture_id: str) -> int:
        """Grows with every change that makes the lecture due."""

    async def settled(self, lecture_id: str, version: int) -> None:
        """No longer due, unless it has become so again since this version."""

    async def indexed(self, lecture_id: str) -> set[str]:
        """Languages whose captions can be found."""

    async def indexing(self, lecture_id: str, languages: Collection[str]) -> None:
        """They are about to be these."""


class Journal(Protocol):
    """A worker's way to record receipts of one media under the lease. Synchronous."""

    def record(self, receipts: Sequence[Receipt]) -> None:
        """All or none; LeaseLost when the lease is gone. A receipt that exists already stays."""

    def receipts(self) -> Sequence[Receipt]: ...
    def held(self) -> bool:
        """False once the job was cancelled or another dispatcher owns it: stop working."""
