"""Jobs: the queue itself. Each move is one guarded atomic operation on the job's document.

Filters name the allowed old state and, on the dispatcher's side, the lease token. Moves that touch
other documents are transactions whose first write is the guarded one. Expiry is by the database's
clock (`$$NOW`). Fields that only this store knows: `ordinal` (1 for a recording's first job, then
2, 3 …), `handed_back` (attempts that do not count against MOST_ATTEMPTS), `last_failure` (for
operators, also of attempts that are repeated), `recorded` (written by journals), `recorded_before` and
`media_before` (what these were when the running attempt was claimed) and `announced`
(that it streams, as an event). Moves that end a job write their event (`announcements.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from academy.correlation import request_id
from academy.errors import Conflict, LeaseLost, NotFound, Unavailable
from academy.jobs import (
    ACTIVE,
    LEASE,
    MOST_ATTEMPTS,
    Failure,
    FailureKind,
    Job,
    JobState,
    Progress,
    backoff,
)
from academy.media import Media, Publication
from academy.mongo.announcements import CANCELLED, announce_failed
from academy.mongo.client import (
    Database,
    Document,
    Session,
    from_document,
    in_transaction,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.mongo.feed import JobChange, JobFeed
from academy.mongo.job_claims import Claims
from academy.mongo.job_documents import (
    COUNTED,
    FORGIVEN,
    IN_WORK,
    VISIBLY,
    build,
    ended,
    held,
    literal,
    milliseconds,
    plain_media,
    queued,
)
from academy.mongo.job_flip import flip
from academy.recordings import Inspection
from academy.tracing import traceparent


@unavailable_when_down
class MongoJobStore:
    """Implements `academy.recording_stores.JobStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs = database.jobs
        self._claims = Claims(database)
        self._feed = JobFeed(self._jobs)

    async def close(self) -> None:
        await self._feed.close()

    async def get(self, job_id: str) -> Job:
        document = await self._jobs.find_one({"_id": job_id})
        if document is None:
            raise NotFound("There is no such job.")
        return build(document)

    async def newest(self, recording_id: str) -> Job | None:
        document = await self._newest(recording_id)
        return None if document is None else build(document)

    async def _newest(self, recording_id: str) -> Document | None:
        return await self._jobs.find_one({"recording_id": recording_id}, sort=[("ordinal", -1)])

    async def retry(self, recording_id: str) -> Job:
        last = await self._newest(recording_id)
        if last is None:
            raise NotFound("There is no such recording.")
        if last["state"] in ACTIVE:
            raise Conflict("This recording is being transcoded already.")
        if last["state"] == JobState.SUCCEEDED:
            raise Conflict("This recording was transcoded: there is nothing to try again.")
        job = Job(
            recording_id=recording_id,
            lecture_id=last["lecture_id"],
            number=last["number"],
            instructor=last.get("instructor", ""),
            request_id=request_id.get(),
            traceparent=traceparent(),
            profile=last.get("profile"),
            replaces=last.get("replaces"),
            campaign=last.get("campaign"),
        )
        document = {**to_document(job), "ordinal": last["ordinal"] + 1, "handed_back": 0}
        try:
            await self._jobs.insert_one(document)
        except DuplicateKeyError as error:
            raise Conflict("This recording is being transcoded already.") from error
        return job

    async def cancel(self, recording_id: str) -> Job:
        async def work(session: Session) -> Job | None:
            document = await self._jobs.find_one_and_update(
                {"recording_id": recording_id, "state": IN_WORK},
                [{"$set": ended(JobState.CANCELLED)}],
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if document is None:
                return None
            job = build(document)
            await announce_failed(self._database, job, CANCELLED, session)
            return job

        cancelled = await in_transaction(self._database, work)
        if cancelled is not None:
            return cancelled
        last = await self.newest(recording_id)
        if last is None:
            raise NotFound("There is no such recording.")
        raise Conflict(f"Transcoding has already ended ({last.state.value}).")

    async def claim_next(self, owner: str) -> Job | None:
        return await self._claims.claim_next(owner)

    async def _move(self, job: Job, fields: Document, session: Session | None = None) -> Job:
        document = await self._jobs.find_one_and_update(
            held(job), [{"$set": fields}], return_document=ReturnDocument.AFTER, session=session
        )
        if document is None:
            raise LeaseLost
        return build(document)

    async def extend(self, job: Job, progress: Progress | None = None) -> None:
        """A lease that expired but that nobody took over is extended too: the move is atomic."""
        fields: Document = {"lease.expires_at": {"$add": ["$$NOW", milliseconds(LEASE)]}}
        if progress is not None:
            fields |= {"progress": literal(progress), **VISIBLY}
        await self._move(job, fields)

    async def inspected(self, job: Job, inspection: Inspection) -> None:
        async def work(session: Session) -> None:
            await self._move(job, dict(VISIBLY), session)
            await self._database.recordings.update_one(
                {"_id": job.recording_id},
                {"$set": {"inspection": plain(inspection)}},
                session=session,
            )

        await in_transaction(self._database, work)

    async def freeze(self, job: Job, media: Media) -> Media:
        async def work(session: Session) -> Media:
            kept = await self._move(
                job, {"media_id": {"$ifNull": ["$media_id", media.id]}, **VISIBLY}, session
            )
            if kept.media_id != media.id:
                frozen = await self._database.media.find_one(
                    {"_id": kept.media_id}, session=session
                )
                if frozen is None:
                    raise NotFound("The frozen plan of this job is gone.")
                return from_document(Media, frozen)
            await self._database.media.update_one(
                {"_id": media.id},
                {"$setOnInsert": plain_media(media)},
                upsert=True,
                session=session,
            )
            return media

        return await in_transaction(self._database, work)

    async def publish(self, job: Job, publication: Publication) -> bool:
        """Conflict when no plan was frozen, or when the media's revision is not the one before."""

        async def work(session: Session) -> bool:
            moved = await self._move(job, dict(VISIBLY), session)
            before = publication.revision - 1 or None
            published = await self._database.media.update_one(
                {"_id": moved.media_id, "publication.revision": before},
                {"$set": {"publication": plain(publication)}},
                session=session,
            )
            if not published.matched_count:
                raise Conflict("These media were published in another revision meanwhile.")
            return await flip(self._database, moved, publication, session)

        return await in_transaction(self._database, work)

    async def succeed(self, job: Job, publication: Publication) -> bool:
        """Conflict when no plan was frozen."""

        async def work(session: Session) -> bool:
            done = await self._move(
                job,
                ended(
                    JobState.SUCCEEDED,
                    failure=None,
                    progress=literal(Progress(stage="publishing", fraction=1.0, eta=0.0)),
                ),
                session,
            )
            media = await self._database.media.find_one(
                {"_id": done.media_id}, {"publication.revision": 1}, session=session
            )
            if media is None:
                raise Conflict("This job has no media to publish: freeze its plan first.")
            current = media.get("publication") or {"revision": 0}
            if current["revision"] < publication.revision:
                await self._database.media.update_one(
                    {"_id": done.media_id},
                    {"$set": {"publication": plain(publication)}},
                    session=session,
                )
            return await flip(self._database, done, publication, session)

        return await in_transaction(self._database, work)

    async def fail(self, job: Job, failure: Failure) -> Job:
        given_up: Document = {
            "state": JobState.FAILED.value,
            "finished_at": "$$NOW",
            "failure": literal(failure),
        }
        fields: Document = given_up
        if failure.kind is FailureKind.TRANSIENT:
            again = {"$lt": [COUNTED, MOST_ATTEMPTS]}
            pause = {
                "$arrayElemAt": [
                    [milliseconds(backoff(count)) for count in range(MOST_ATTEMPTS + 1)],
                    {"$min": [COUNTED, MOST_ATTEMPTS]},
                ]
            }
            tried_again: Document = {
                "state": JobState.QUEUED.value,
                "finished_at": None,
                "failure": None,
            }
            fields = {
                name: {"$cond": [again, tried_again[name], value]}
                for name, value in given_up.items()
            } | {"not_before": {"$cond": [again, {"$add": ["$$NOW", pause]}, "$not_before"]}}

        async def work(session: Session) -> Job:
            moved = await self._move(
                job,
                {
                    **fields,
                    "handed_back": FORGIVEN,
                    "lease": None,
                    "last_failure": literal(failure),
                    **VISIBLY,
                },
                session,
            )
            if moved.state is JobState.FAILED:
                await announce_failed(self._database, moved, failure, session)
            return moved

        return await in_transaction(self._database, work)

    async def release(self, job: Job) -> None:
        """`attempts` keeps counting claims, so that no two of them name objects alike."""
        await self._move(job, queued(handed_back={"$add": ["$handed_back", 1]}))

    async def changes(self) -> AsyncGenerator[None, None]:
        wanted = {state.value for state in JobState} - {JobState.RUNNING.value}

        def wants(change: JobChange) -> bool:
            return change.state in wanted

        async with self._feed.waiter(wants) as waiter:
            while True:
                waiter.woken.clear()
                yield
                await waiter.wait()

    async def follow(self, recording_id: str) -> AsyncGenerator[Job, None]:
        """NotFound when the recording has no job."""
        first = await self.newest(recording_id)
        if first is None:
            raise NotFound("There is no such recording.")

        def wants(change: JobChange) -> bool:
            return change.job_id == first.id

        async with self._feed.waiter(wants) as waiter:
            seen = 0
            while True:
                try:
                    job = await self.get(first.id)
                except Unavailable:
                    await waiter.wait()  # it comes back, or the follower leaves
                    continue
                if job.revision != seen:
                    seen = job.revision
                    yield job
                if not job.active:
                    return
                await waiter.wait()
