"""Every store's Protocol. Methods name intents; each changes what it says and nothing else.

Document stores are asynchronous (PyMongo's async API). ObjectStore, MultipartUploads and Journal are
synchronous: API code calls them in threads, workers call them directly. Errors: `academy.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from academy.captions import CaptionFile
from academy.catalogue import CoursePage, CourseView, LectureView, PosterView
from academy.courses import Course, CourseOrder, Lecture, Programme, University
from academy.events import Event, EventKind
from academy.invitations import Invitation
from academy.jobs import Failure, Job, Progress
from academy.media import Media, Publication, Receipt
from academy.people import Instructor
from academy.recordings import Inspection, Recording
from academy.search.entries import Cue, Kind
from academy.search.hits import Hit
from academy.search.query import Query
from academy.uploads import Part, Upload
from academy.webhooks import Delivery, DeliveryState, Endpoint, Outcome

T = TypeVar("T")
Position = Mapping[str, Any]
"""Where a page ended: the sort key's values as JSON. `api/paging.py` turns it into a cursor."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next: Position | None = None


@dataclass(frozen=True, slots=True)
class CourseFilter:
    university: str | None = None
    programme: str | None = None
    instructor: str | None = None
    level: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """A guarded partial update: sets `fields` if the document still has `revision`, and adds 1 to it."""

    revision: int
    fields: Mapping[str, Any] = field(default_factory=dict)


class UniversityStore(Protocol):
    async def get(self, slug: str) -> University: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[University]:
        """Those that exist, in the order asked for."""

    async def list(self, *, limit: int, after: Position | None = None) -> Page[University]: ...
    async def add(self, university: University) -> None:
        """Conflict when the slug is taken."""

    async def change(self, slug: str, changes: Changes) -> University:
        """PreconditionFailed when the revision moved on."""

    async def delete(self, slug: str) -> None: ...


class ProgrammeStore(Protocol):
    async def get(self, slug: str) -> Programme: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[Programme]: ...
    async def list(self, *, limit: int, after: Position | None = None) -> Page[Programme]: ...
    async def add(self, programme: Programme) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Programme: ...
    async def delete(self, slug: str) -> None: ...


class InstructorStore(Protocol):
    async def get(self, slug: str) -> Instructor: ...
    async def get_many(self, slugs: Sequence[str]) -> Sequence[Instructor]: ...
    async def profiles_of(self, subject: str) -> Sequence[str]:
        """Slugs of the profiles linked to an account."""

    async def list(self, *, limit: int, after: Position | None = None) -> Page[Instructor]: ...
    async def add(self, instructor: Instructor) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Instructor: ...
    async def delete(self, slug: str) -> None: ...


class CourseStore(Protocol):
    """Courses and their lectures: one store, since counters change with both in one transaction."""

    async def get(self, slug: str) -> Course: ...
    async def add(self, course: Course) -> None: ...
    async def change(self, slug: str, changes: Changes) -> Course:
        """Also publishes and unpublishes (`published_at`); counters of universities and programmes follow."""

    async def delete(self, slug: str) -> None:
        """The course and its lectures; Conflict while learners are enrolled."""

    async def lecture(self, lecture_id: str) -> Lecture: ...
    async def lectures(self, course: str, *, drafts: bool) -> Sequence[Lecture]:
        """By section order as given in `position`, then creation."""

    async def add_lecture(self, lecture: Lecture) -> Lecture:
        """Appends: gives the next position within the course."""

    async def change_lecture(self, lecture_id: str, changes: Changes) -> Lecture: ...
    async def delete_lecture(self, lecture_id: str) -> None: ...


class CatalogueStore(Protocol):
    """Reads for readers: read models of plain data, one query each."""

    async def courses(
        self,
        where: CourseFilter,
        *,
        order: CourseOrder,
        limit: int,
        after: Position | None = None,
        language: str = "zh",
    ) -> CoursePage:
        """The published ones, in keyset pages. `language`: whose title `order=title` sorts by (any
        other where it is missing).
        """

    async def taught(
        self,
        *,
        subject: str,
        profiles: Sequence[str],
        limit: int,
        after: Position | None = None,
    ) -> CoursePage:
        """Owned or taught, drafts included, newest first."""

    async def course(self, slug: str, *, drafts: bool) -> CourseView:
        """Published or not; `drafts`: with its unpublished lectures."""

    async def lecture(self, lecture_id: str) -> LectureView:
        """Published or not."""

    async def poster(self, slug: str) -> PosterView: ...


class ChangeListener(Protocol):
    """Told of changes of what public answers are made from. Its methods return at once."""

    def opened(self) -> None:
        """From now on everything is told; what happened before may not have been."""

    def changed(self, marks: Iterable[str]) -> None:
        """As `academy.catalogue.mark` makes them, and the names of whole collections."""

    def heard(self) -> None:
        """All that was told is all that happened."""

    def lost(self) -> None:
        """Until the next `opened` nothing is told."""


class PublicChanges(Protocol):
    """Writes to the catalogue by any process, as they happen."""

    def told_to(self, listener: ChangeListener) -> AbstractAsyncContextManager[None]: ...


class UploadStore(Protocol):
    async def begin(self, lecture_id: str) -> int:
        """The next upload's number of a lecture (atomic)."""

    async def add(self, upload: Upload) -> None: ...
    async def get(self, upload_id: str) -> Upload: ...
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


class SearchStore(Protocol):
    async def find(
        self,
        query: Query,
        *,
        kinds: Collection[Kind],
        limit: int,
        language: str | None = None,
        after: Position | None = None,
    ) -> Page[Hit]:
        """Best first, only what everybody may see now. `language`: the resource's own, or the caption's."""

    async def index_captions(self, lecture_id: str, language: str, cues: Sequence[Cue]) -> None:
        """Replaces what can be found of a lecture's captions in one language; none removes them.

        One atomic write: the index follows within milliseconds, and what was replaced is gone at once.
        """


class IdempotencyStore(Protocol):
    """Answers kept under a client's `Idempotency-Key`, per subject, for a day."""

    async def begin(self, subject: str, key: str, fingerprint: str) -> dict[str, Any] | None:
        """Reserves the key, or returns the kept answer. Conflict while the first request still runs
        and Invalid when the key came with another request (`fingerprint`).
        """

    async def finish(self, subject: str, key: str, answer: Mapping[str, Any]) -> None: ...
    async def forget(self, subject: str, key: str) -> None:
        """The request failed: the key may be used again."""


class EventOutbox(Protocol):
    """Events for webhooks, written with the change they tell of."""

    async def add(self, kind: EventKind, data: Mapping[str, Any], session: Any) -> None:
        """Within `session`'s transaction: the event exists if and only if the change does.

        `data` is JSON: names of what changed. The transaction's body may run more than once, and so may this.
        """


class WebhookStore(Protocol):
    """Endpoints, and the deliveries of events to them."""

    async def get(self, endpoint_id: str) -> Endpoint: ...
    async def list(self, *, limit: int, after: Position | None = None) -> Page[Endpoint]:
        """Newest first."""

    async def add(self, endpoint: Endpoint) -> None: ...
    async def change(self, endpoint_id: str, changes: Changes) -> Endpoint:
        """PreconditionFailed when the revision moved on."""

    async def delete(self, endpoint_id: str) -> None:
        """With its deliveries."""

    async def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery: ...
    async def deliveries(
        self,
        endpoint_id: str,
        *,
        state: DeliveryState | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Delivery]:
        """Newest first."""

    async def enqueue(self, endpoint_id: str, event: Event) -> Delivery:
        """An event for this endpoint alone."""

    async def replay(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """delivered | failed -> pending, with all attempts anew. Conflict while pending."""

    # From here on: the deliverer's side.
    async def fan_out(self) -> bool:
        """Makes the deliveries of the oldest pending event; False when there is none."""

    async def claim(self) -> tuple[Delivery, Endpoint] | None:
        """The delivery that is due longest, with attempts + 1: nobody else gets it for a minute."""

    async def settle(
        self, delivery: Delivery, outcome: Outcome, again_in: timedelta | None
    ) -> None:
        """pending -> delivered, or again later, or failed. Nothing when the claim was lost."""

    async def hand_back(self, delivery: Delivery) -> None:
        """Not sent: due at once, not counting the attempt."""

    async def switch_off(self, endpoint_id: str, because: str) -> None:
        """Disables it: its receiver is gone."""


class RateLimitStore(Protocol):
    async def count(self, key: str, *, window: int, amount: int = 1) -> tuple[int, datetime]:
        """Adds to the counter of `key`'s present window, which is `window` seconds long: the
        count, and when the window ends.
        """


class Stores(Protocol):
    """All document stores of one database."""

    @property
    def universities(self) -> UniversityStore: ...
    @property
    def programmes(self) -> ProgrammeStore: ...
    @property
    def instructors(self) -> InstructorStore: ...
    @property
    def courses(self) -> CourseStore: ...
    @property
    def catalogue(self) -> CatalogueStore: ...
    @property
    def public_changes(self) -> PublicChanges: ...
    @property
    def uploads(self) -> UploadStore: ...
    @property
    def recordings(self) -> RecordingStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def invitations(self) -> InvitationStore: ...
    @property
    def captions(self) -> CaptionStore: ...
    @property
    def search(self) -> SearchStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def outbox(self) -> EventOutbox: ...
    @property
    def webhooks(self) -> WebhookStore: ...
    @property
    def rate_limits(self) -> RateLimitStore: ...


class Journal(Protocol):
    """A worker's way to record receipts of one media under the lease. Synchronous."""

    def record(self, receipts: Sequence[Receipt]) -> None:
        """All or none; LeaseLost when the lease is gone. A receipt that exists already stays."""

    def receipts(self) -> Sequence[Receipt]: ...
    def held(self) -> bool:
        """False once the job was cancelled or another dispatcher owns it: stop working."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    size: int
    content_type: str
    cache_control: str | None
    etag: str
    modified: datetime


class ObjectStore(Protocol):
    """Bytes under keys. Prefixes end in `/`; deletes are idempotent; a missing key is ObjectNotFound;
    keys cannot leave the root (Invalid); headers survive a round trip.
    """

    def put(
        self,
        key: str,
        source: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> None: ...
    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Pieces of bytes [start, end); `end` None means to the end."""

    def stat(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """In the order of the keys' bytes. S3 tells no headers here: `content_type` is empty."""

    def delete(self, key: str) -> None: ...
    def delete_prefix(self, prefix: str) -> None: ...
    def signed_url(self, key: str, *, expires_in: int) -> str:
        """A GET link, valid for at least `expires_in` seconds; the same one for a while (time buckets)."""


@dataclass(frozen=True, slots=True)
class SignedPart:
    number: int
    url: str
    method: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """One that is under way in the store, whether or not a document knows of it."""

    key: str
    upload_id: str
    started: datetime


class MultipartUploads(Protocol):
    def start(self, key: str, *, content_type: str) -> str:
        """The store's upload id."""

    def sign_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        *,
        expires_in: int,
        md5: str | None = None,
        size: int | None = None,
    ) -> SignedPart:
        """Where to PUT a part. The store refuses bytes of another `md5` (base64) or `size`, if given."""

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """What has arrived, by number. ObjectNotFound for an unknown upload."""

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """ObjectNotFound when the upload is unknown (also when it was completed before);
        Conflict when the parts are not those that arrived.
        """

    def abort(self, key: str, upload_id: str) -> None:
        """Idempotent."""

    def under_way(self) -> Iterator[MultipartUpload]:
        """All that were started and neither completed nor aborted; Unavailable from servers that
        do not tell (Alibaba Cloud OSS): there a lifecycle rule clears what is abandoned.
        """


class Storage(ObjectStore, MultipartUploads, Protocol):
    """What `wiring` hands out: both faces of one backend."""


@runtime_checkable
class LocalFiles(Protocol):
    """Optional capability: objects that are files on this machine, so ffmpeg can open them itself."""

    def path(self, key: str) -> Path:
        """ObjectNotFound when missing."""
