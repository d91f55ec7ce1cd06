"""The job's state machine as Hypothesis sees it, over a real MongoDB.

Dispatchers claim, report, freeze, record, fail, release and publish, with leases they hold and with
leases they lost long ago; owners cancel, retry and replace; leases run out at any moment. After each
step the whole database is compared with what was there before it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from academy.courses import now
from academy.errors import Conflict, LeaseLost
from academy.jobs import ACTIVE, MOST_ATTEMPTS, MOVES, Failure, FailureKind, Job, JobState, Progress
from academy.mongo.client import worker_client
from academy.mongo.journal import MongoJournal
from tests.documents import (
    INSPECTION,
    PUBLICATION,
    a_lecture_in,
    a_receipt,
    a_recording_of,
    media_for,
)
from tests.fixtures_mongo import Synchronous
from tests.properties.claims import claimable

COLLECTIONS = ("courses", "lectures", "recordings", "jobs", "media", "receipts")
MOST_RECORDINGS = 3
Dump = dict[str, dict[Any, dict[str, Any]]]
ACTIONS = ["heartbeat", "report", "inspect", "freeze", "release", *FailureKind]
leases = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5])
"""Which of all leases ever given, counted from the newest: 0 is the newest."""


class JobMachine(RuleBasedStateMachine):
    def __init__(self, environment: Synchronous) -> None:
        super().__init__()
        self.environment = environment
        self.stores = environment.stores
        self.jobs = environment.stores.jobs
        # Synchronous, because most of the test's time is spent looking.
        self.database = worker_client(environment.url)[environment.stores.database.name]
        self.run = environment.run
        self.claims: list[Job] = []
        self.recordings: list[str] = []
        self.claiming = False
        self.seen: Dump = {}

    @initialize()
    def begin(self) -> None:
        for name in (*COLLECTIONS, "uploads"):
            self.database[name].delete_many({})
        self.lecture = self.run(a_lecture_in(self.stores, published=True))
        for _ in range(2):
            self.recordings.append(self.run(a_recording_of(self.stores, self.lecture)).id)
            self.seen = self.dump()
            self.claim(patient=False)

    def dump(self) -> Dump:
        return {
            name: {document["_id"]: document for document in self.database[name].find()}
            for name in COLLECTIONS
        }

    def stored(self, job: Job) -> dict[str, Any]:
        document = self.database.jobs.find_one({"_id": job.id})
        assert document is not None
        return document

    def lease(self, back: int) -> Job:
        return self.claims[-1 - back % len(self.claims)]

    def holds(self, claim: Job) -> bool:
        """By the model: the newest claim of this job, and the job still runs."""
        stored = self.stored(claim)
        newest = [each for each in self.claims if each.id == claim.id][-1]
        return claim is newest and stored["state"] == JobState.RUNNING

    def as_holder(self, claim: Job, move: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Runs a dispatcher's move; LeaseLost, and nothing changed, exactly when the lease is not held."""
        if self.holds(claim):
            return self.run(move())
        before = self.dump()
        with pytest.raises(LeaseLost):
            self.run(move())
        assert self.dump() == before, "an old lease changed something"
        return None

    # Owners

    @rule()
    @precondition(lambda self: len(self.recordings) < MOST_RECORDINGS)
    def replace_the_recording(self) -> None:
        recording = self.run(a_recording_of(self.stores, self.lecture))
        self.recordings.append(recording.id)

    @rule(which=st.integers(0, MOST_RECORDINGS - 1), action=st.sampled_from(["cancel", "retry"]))
    def owner(self, which: int, action: str) -> None:
        recording = self.recordings[which % len(self.recordings)]
        last: Job = self.run(self.jobs.newest(recording))
        if action == "cancel":
            with contextlib.nullcontext() if last.active else pytest.raises(Conflict):
                assert self.run(self.jobs.cancel(recording)).state is JobState.CANCELLED
            return
        may = last.state in {JobState.FAILED, JobState.CANCELLED}
        with contextlib.nullcontext() if may else pytest.raises(Conflict):
            again = self.run(self.jobs.retry(recording))
            assert again.id != last.id
            assert (again.state, again.attempts, again.media_id) == (JobState.QUEUED, 0, None)

    # Time

    @rule(back=leases)
    def a_lease_runs_out(self, back: int) -> None:
        self.database.jobs.update_one(
            {"_id": self.lease(back).id, "state": "running"},
            {"$set": {"lease.expires_at": now() - timedelta(seconds=1)}},
        )
        self.seen = self.dump()

    # Dispatchers

    @rule(patient=st.booleans())
    def claim(self, patient: bool) -> None:
        if patient:  # every pause is over
            self.database.jobs.update_many(
                {}, {"$set": {"not_before": now() - timedelta(minutes=1)}}
            )
            self.seen = self.dump()
        self.claiming = True
        clock = now()
        waiting = claimable(self.seen["jobs"].values(), clock)
        claimed: Job | None = self.run(self.jobs.claim_next("dispatcher"))
        assert not self.database.jobs.count_documents(
            {"state": "running", "lease.expires_at": {"$lt": clock}}
        ), "a lost job was left to itself"
        if claimed is None:
            assert not waiting
            return
        best = min(waiting, key=lambda job: (job["attempts"], job["created_at"]))
        before = self.seen["jobs"][claimed.id]
        assert (before["attempts"], before["created_at"]) == (best["attempts"], best["created_at"])
        assert claimed.attempts == before["attempts"] + 1
        assert claimed.lease is not None
        assert claimed.lease.token not in {
            each.lease.token for each in self.claims if each.lease is not None
        }
        self.claims.append(claimed)

    @rule(back=leases, times=st.sampled_from([1, 1, 1, MOST_ATTEMPTS]))
    def others_take_over(self, back: int, times: int) -> None:
        """What rarely happens by chance: somebody else works on a job whose old leases act again."""
        for _ in range(times):
            self.a_lease_runs_out(back)
            self.claim(patient=True)
            self.only_allowed_moves_happened()

    def freeze(self, claim: Job) -> None:
        before = self.stored(claim)["media_id"]
        frozen = self.as_holder(claim, lambda: self.jobs.freeze(claim, media_for(claim)))
        if frozen is not None:
            assert before in {None, frozen.id}

    @rule(back=leases, action=st.sampled_from(ACTIONS))
    def dispatcher(self, back: int, action: str) -> None:
        claim = self.lease(back)
        stored = self.stored(claim)
        if action == "freeze":
            self.freeze(claim)
        elif action == "report":
            report = Progress(stage="encoding", fraction=0.5)
            self.as_holder(claim, lambda: self.jobs.extend(claim, report))
        elif action == "heartbeat":
            self.as_holder(claim, lambda: self.jobs.extend(claim))
        elif action == "inspect":
            self.as_holder(claim, lambda: self.jobs.inspected(claim, INSPECTION))
        elif action == "release":
            self.as_holder(claim, lambda: self.jobs.release(claim))
        else:
            kind = FailureKind(action)
            failure = Failure(code="x", message="It failed.", kind=kind)
            moved = self.as_holder(claim, lambda: self.jobs.fail(claim, failure))
            if moved is not None:
                again = (
                    kind is FailureKind.TRANSIENT
                    and claim.attempts - stored["handed_back"] < MOST_ATTEMPTS
                )
                assert moved.state is (JobState.QUEUED if again else JobState.FAILED)
                assert moved.failure == (None if again else failure)
                # A pause ends when a rule says so, not when this machine happens to be slow.
                self.database.jobs.update_one(
                    {"_id": claim.id}, {"$set": {"not_before": now() + timedelta(hours=1)}}
                )

    @rule(back=leases, number=st.integers(0, 5), late=st.booleans())
    def record(self, back: int, number: int, late: bool) -> None:
        claim = self.lease(back)
        self.freeze(claim)
        if late:
            self.a_lease_runs_out(back)
        stored = self.stored(claim)
        if stored["media_id"] is None:
            return
        assert claim.lease is not None
        journal = MongoJournal(
            self.environment.url,
            self.database.name,
            media_id=stored["media_id"],
            job_id=claim.id,
            token=claim.lease.token,
        )
        assert journal.held() == self.holds(claim)
        receipts = [
            a_receipt(number, attempt=claim.attempts),
            a_receipt(number + 1, attempt=claim.attempts),
        ]
        if self.holds(claim) and stored["lease"]["expires_at"] > now():
            journal.record(receipts)
            return
        before = self.dump()
        with pytest.raises(LeaseLost):
            journal.record(receipts)
        assert self.dump() == before, "a zombie recorded something"

    @rule(back=leases, plan=st.booleans())
    def succeed(self, back: int, plan: bool) -> None:
        claim = self.lease(back)
        if plan:
            self.freeze(claim)
        if self.holds(claim) and self.stored(claim)["media_id"] is None:
            with pytest.raises(Conflict):
                self.run(self.jobs.succeed(claim, PUBLICATION))
            return
        playing = self.run(self.stores.courses.lecture(self.lecture.id)).media
        flipped = self.as_holder(claim, lambda: self.jobs.succeed(claim, PUBLICATION))
        if flipped is not None:
            assert flipped == (playing is None or claim.number > playing.number)

    # What holds after every step

    @invariant()
    def only_allowed_moves_happened(self) -> None:
        before, after = self.seen, self.dump()
        self.seen = after
        recovering, self.claiming = self.claiming, False
        for job_id, job in after["jobs"].items():
            old = before.get("jobs", {}).get(job_id)
            if old is None:
                assert job["state"] == JobState.QUEUED
                continue
            self.one_move(old, job, recovering=recovering)

    @staticmethod
    def one_move(old: dict[str, Any], new: dict[str, Any], *, recovering: bool) -> None:
        was, is_now = JobState(old["state"]), JobState(new["state"])
        assert new["attempts"] >= old["attempts"]
        assert new["handed_back"] >= old["handed_back"]
        assert new["media_id"] == old["media_id"] or old["media_id"] is None
        if was is not is_now:
            assert is_now in MOVES[was]
        elif was not in ACTIVE:
            assert new == old, "an ended job changed"
        elif was is JobState.RUNNING and new["lease"]["token"] != old["lease"]["token"]:
            assert recovering, "running -> queued -> running is a claim of an expired lease"
            assert new["attempts"] == old["attempts"] + 1

    @invariant()
    def jobs_are_well_formed(self) -> None:
        active: list[str] = []
        for job in self.seen.get("jobs", {}).values():
            state = JobState(job["state"])
            assert (job["lease"] is not None) == (state is JobState.RUNNING)
            assert (job["finished_at"] is not None) == (state not in ACTIVE)
            assert (job["failure"] is not None) == (state is JobState.FAILED)
            assert job["attempts"] - job["handed_back"] <= MOST_ATTEMPTS
            if state in ACTIVE:
                active.append(job["recording_id"])
            if state is JobState.SUCCEEDED:
                assert self.seen["media"][job["media_id"]]["publication"] is not None
        assert len(active) == len(set(active)), "two active jobs of one recording"

    @invariant()
    def the_newest_that_succeeded_plays(self) -> None:
        done = [job for job in self.seen.get("jobs", {}).values() if job["state"] == "succeeded"]
        for lecture in self.seen.get("lectures", {}).values():
            if not done:
                assert lecture["media"] is None
                continue
            newest = max(done, key=lambda job: job["number"])
            assert lecture["media"] == {
                "media_id": newest["media_id"],
                "number": newest["number"],
            }
            course = self.seen["courses"][lecture["course"]]
            assert course["duration"] == PUBLICATION.duration

    @invariant()
    def unpublished_media_have_not_changed_hands(self) -> None:
        for receipt in self.seen.get("receipts", {}).values():
            media = self.seen["media"][receipt["media_id"]]
            attempts = {claim.attempts for claim in self.claims if claim.id == media["job_id"]}
            assert receipt["bytes"] in attempts


def check(environment: Synchronous, *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: JobMachine(environment),  # type: ignore[arg-type]
        settings=settings(
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            max_examples=examples,
            stateful_step_count=steps,
        ),
    )


def test_no_order_of_events_breaks_a_job(synchronous: Synchronous) -> None:
    check(synchronous, examples=12, steps=20)


@pytest.mark.slow
def test_no_long_order_of_events_breaks_a_job(synchronous: Synchronous) -> None:
    check(synchronous, examples=60, steps=50)
