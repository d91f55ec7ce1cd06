"""Completing an upload, killed between every two steps, over a real MongoDB and the real disk storage."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path
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

from academy import completion
from academy.courses import now
from academy.errors import Conflict, ObjectNotFound, Unavailable
from academy.mongo.stores import MongoStores
from academy.recordings import Recording
from academy.storage import staging
from academy.storage.disk import DiskStorage
from academy.uploads import Upload, UploadState
from tests.documents import a_lecture_in, an_upload
from tests.fixtures_mongo import Synchronous

AT_ONCE = timedelta()
BYTES = b"AAAAABBBBBCC"
RECORDINGS = {
    UploadState.OPEN: 0,
    UploadState.COMPLETING: 0,
    UploadState.COMPLETED: 1,
    UploadState.ABORTED: 0,
    UploadState.EXPIRED: 0,
}
MOVES = {
    UploadState.OPEN: set(UploadState),
    UploadState.COMPLETING: {UploadState.COMPLETING, UploadState.COMPLETED, UploadState.OPEN},
}


class Crash(Exception):
    """The process ended here."""


class Tripwire:
    """Counts the moments before and after every call of what it wraps; crashes at one of them."""

    def __init__(self, crash_at: int | None = None) -> None:
        self.moments = 0
        self._crash_at = crash_at

    def pass_by(self) -> None:
        self.moments += 1
        if self.moments == self._crash_at:
            raise Crash

    def around(self, target: Any) -> Any:
        return _Wrapped(target, self)


class _Wrapped:
    def __init__(self, target: Any, wire: Tripwire) -> None:
        self._target = target
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if inspect.iscoroutinefunction(method):

            async def awaited(*args: Any, **kwargs: Any) -> Any:
                self._wire.pass_by()
                result = await method(*args, **kwargs)
                self._wire.pass_by()
                return result

            return awaited

        def called(*args: Any, **kwargs: Any) -> Any:
            self._wire.pass_by()
            result = method(*args, **kwargs)
            self._wire.pass_by()
            return result

        return called


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's smallest part has 5 MiB; here parts of 5 bytes say as much, sooner."""
    monkeypatch.setattr(staging, "SMALLEST_PART", 1)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> DiskStorage:
    return DiskStorage(tmp_path_factory.mktemp("objects"))


async def begun(stores: MongoStores, storage: DiskStorage) -> Upload:
    lecture = await a_lecture_in(stores)
    upload = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
    begun = upload.model_copy(
        update={"storage_upload_id": storage.start(upload.key, content_type="video/mp4")}
    )
    await stores.uploads.add(begun)
    return begun


def send(storage: DiskStorage, upload: Upload, number: int, data: bytes | None = None) -> None:
    """Part `number` of BYTES, or other bytes in its place."""
    start = (number - 1) * upload.part_size
    with storage.receive_part(upload.key, upload.storage_upload_id, number) as part:
        part.write(BYTES[start : start + upload.part_size] if data is None else data)
        part.commit()


async def sent(stores: MongoStores, storage: DiskStorage) -> Upload:
    upload = await begun(stores, storage)
    for number in (1, 2, 3):
        send(storage, upload, number)
    return upload


async def assert_completed(stores: MongoStores, storage: DiskStorage, upload: Upload) -> None:
    assert (await stores.uploads.get(upload.id)).state is UploadState.COMPLETED
    assert b"".join(storage.read(upload.key)) == BYTES
    recordings = await stores.database.recordings.find({"upload_id": upload.id}).to_list()
    assert [recording["_id"] for recording in recordings] == [upload.recording_id]
    jobs = await stores.database.jobs.find({"recording_id": upload.recording_id}).to_list()
    assert [job["state"] for job in jobs] == ["queued"]


async def test_completion_is_repeatable(stores: MongoStores, storage: DiskStorage) -> None:
    upload = await sent(stores, storage)
    first = await completion.complete(upload.id, stores.uploads, storage)
    assert await completion.complete(upload.id, stores.uploads, storage) == first
    await assert_completed(stores, storage, upload)


@pytest.mark.parametrize("recovery", ["the client repeats", "the reconciler finds it"])
async def test_a_crash_between_any_two_steps_loses_nothing(
    stores: MongoStores, storage: DiskStorage, recovery: str
) -> None:
    crash_at = 0
    crashed = True
    while crashed:
        crash_at += 1
        upload = await sent(stores, storage)
        wire = Tripwire(crash_at)
        try:
            await completion.complete(upload.id, wire.around(stores.uploads), wire.around(storage))
            crashed = False
        except Crash:
            pass
        if recovery == "the reconciler finds it":
            before = await stores.uploads.get(upload.id)
            await completion.reconcile(stores.uploads, storage, patience=AT_ONCE)
            after = await stores.uploads.get(upload.id)
            # Nobody but the client says that an upload is complete.
            assert (after.state is UploadState.OPEN) == (before.state is UploadState.OPEN)
        await completion.complete(upload.id, stores.uploads, storage)
        await assert_completed(stores, storage, upload)
    assert crash_at > 12, "six calls have twelve moments around them"


async def test_crashes_of_the_recovery_itself_lose_nothing(
    stores: MongoStores, storage: DiskStorage
) -> None:
    upload = await sent(stores, storage)
    for crash_at in range(1, 20):
        wire = Tripwire(crash_at)
        try:
            await completion.complete(upload.id, wire.around(stores.uploads), wire.around(storage))
        except Crash:
            continue
        break
    await assert_completed(stores, storage, upload)


async def test_missing_and_wrong_parts_are_named_and_the_upload_stays_open(
    stores: MongoStores, storage: DiskStorage
) -> None:
    upload = await begun(stores, storage)
    send(storage, upload, 3, b"CCC")
    with pytest.raises(
        Conflict, match="Of 3 parts, 1–2 did not arrive and 3 arrived with the wrong size"
    ):
        await completion.complete(upload.id, stores.uploads, storage)
    assert (await stores.uploads.get(upload.id)).state is UploadState.OPEN
    for number in (1, 2, 3):
        send(storage, upload, number)
    await completion.complete(upload.id, stores.uploads, storage)
    await assert_completed(stores, storage, upload)


class SentAgain(DiskStorage):
    """A client sends part 1 once more, just before the parts are joined for the first time."""

    again: bytes | None = None

    def complete(self, key: str, upload_id: str, parts: Any) -> None:
        if self.again is not None:
            data, self.again = self.again, None
            with self.receive_part(key, upload_id, 1) as part:
                part.write(data)
                part.commit()
        super().complete(key, upload_id, parts)


async def test_a_part_sent_again_meanwhile_counts(stores: MongoStores, tmp_path: Path) -> None:
    storage = SentAgain(tmp_path)
    upload = await sent(stores, storage)
    storage.again = b"aaaaa"
    await completion.complete(upload.id, stores.uploads, storage)
    assert b"".join(storage.read(upload.key)) == b"aaaaa" + BYTES[5:]


async def test_a_wrong_part_sent_meanwhile_opens_the_upload_again(
    stores: MongoStores, tmp_path: Path
) -> None:
    storage = SentAgain(tmp_path)
    upload = await sent(stores, storage)
    storage.again = b"short"[:4]
    with pytest.raises(Conflict, match="1 arrived with the wrong size"):
        await completion.complete(upload.id, stores.uploads, storage)
    assert (await stores.uploads.get(upload.id)).state is UploadState.OPEN
    send(storage, upload, 1)
    await completion.complete(upload.id, stores.uploads, storage)
    await assert_completed(stores, storage, upload)


class Down(DiskStorage):
    down = True

    def complete(self, key: str, upload_id: str, parts: Any) -> None:
        if self.down:
            raise Unavailable("The storage does not answer.")
        super().complete(key, upload_id, parts)


async def test_while_the_storage_is_down_the_upload_waits(
    stores: MongoStores, tmp_path: Path
) -> None:
    storage = Down(tmp_path)
    upload = await sent(stores, storage)
    with pytest.raises(Unavailable):
        await completion.complete(upload.id, stores.uploads, storage)
    assert (await stores.uploads.get(upload.id)).state is UploadState.COMPLETING
    storage.down = False
    done = await completion.reconcile(stores.uploads, storage, patience=AT_ONCE)
    assert done.completed == 1
    await assert_completed(stores, storage, upload)


async def test_an_upload_that_the_storage_lost_says_so(
    stores: MongoStores, storage: DiskStorage
) -> None:
    upload = await sent(stores, storage)
    storage.abort(upload.key, upload.storage_upload_id)
    with pytest.raises(Conflict, match="begin a new one"):
        await completion.complete(upload.id, stores.uploads, storage)
    other = await sent(stores, storage)
    await stores.uploads.completing(other.id, storage.parts(other.key, other.storage_upload_id))
    storage.abort(other.key, other.storage_upload_id)
    with pytest.raises(Conflict, match="begin a new upload"):
        await completion.complete(other.id, stores.uploads, storage)
    assert (await stores.uploads.get(other.id)).state is UploadState.OPEN, "it expires in time"


async def test_overdue_uploads_expire_and_leave_nothing_in_the_storage(
    stores: MongoStores, storage: DiskStorage
) -> None:
    crash_at = 0
    crashed = True
    while crashed:
        crash_at += 1
        upload = await begun(stores, storage)
        send(storage, upload, 1)
        await stores.database.uploads.update_one(
            {"_id": upload.id}, {"$set": {"expires_at": now() - timedelta(seconds=1)}}
        )
        wire = Tripwire(crash_at)
        try:
            await completion.reconcile(wire.around(stores.uploads), wire.around(storage))
            crashed = False
        except Crash:
            await completion.reconcile(stores.uploads, storage)
        assert (await stores.uploads.get(upload.id)).state is UploadState.EXPIRED
        with pytest.raises(ObjectNotFound):
            storage.parts(upload.key, upload.storage_upload_id)
        assert await stores.uploads.leftovers() == []


class UploadMachine(RuleBasedStateMachine):
    """Parts come right and wrong, completions crash anywhere, reconcilers run, owners give up."""

    def __init__(self, environment: Synchronous, storage: DiskStorage) -> None:
        super().__init__()
        self.stores = environment.stores
        self.run = environment.run
        self.storage = storage
        self.state = UploadState.OPEN

    @initialize()
    def begin(self) -> None:
        # Every example starts alike: the reconciler would go on with what earlier ones left.
        self.run(self.stores.database.uploads.delete_many({}))
        self.upload: Upload = self.run(begun(self.stores, self.storage))

    @rule(number=st.integers(1, 3), wrong=st.sampled_from([False, False, True]))
    def send(self, number: int, wrong: bool) -> None:
        try:
            send(self.storage, self.upload, number, b"four" if wrong else None)
        except ObjectNotFound:
            assert self.state is not UploadState.OPEN

    @rule(crash_at=st.none() | st.integers(1, 16))
    def complete(self, crash_at: int | None) -> None:
        wire = Tripwire(crash_at)
        try:
            made: Recording = self.run(
                completion.complete(
                    self.upload.id, wire.around(self.stores.uploads), wire.around(self.storage)
                )
            )
        except Crash:
            return
        except Conflict:
            now_in = self.run(self.stores.uploads.get(self.upload.id)).state
            assert now_in not in {UploadState.COMPLETED, UploadState.COMPLETING}
        else:
            assert made.id == self.upload.recording_id

    @rule(crash_at=st.none() | st.integers(1, 16))
    def reconcile(self, crash_at: int | None) -> None:
        wire = Tripwire(crash_at)
        try:
            self.run(
                completion.reconcile(
                    wire.around(self.stores.uploads), wire.around(self.storage), patience=AT_ONCE
                )
            )
        except Crash:
            return
        assert self.run(self.stores.uploads.unfinished(older_than=AT_ONCE)) == []

    @rule(expired=st.booleans())
    @precondition(lambda self: self.state is not UploadState.ABORTED)
    def end(self, expired: bool) -> None:
        try:
            self.run(self.stores.uploads.end(self.upload.id, expired=expired))
        except Conflict:
            assert self.state in {UploadState.COMPLETING, UploadState.COMPLETED}

    @invariant()
    def one_recording_exactly_when_completed(self) -> None:
        stored: Upload = self.run(self.stores.uploads.get(self.upload.id))
        assert stored.state in MOVES.get(self.state, {self.state})
        self.state = stored.state
        found = self.run(
            self.stores.database.recordings.count_documents({"upload_id": self.upload.id})
        )
        jobs = self.run(
            self.stores.database.jobs.count_documents({"recording_id": self.upload.recording_id})
        )
        assert found == jobs == RECORDINGS[stored.state]
        if stored.state is UploadState.COMPLETED:
            assert b"".join(self.storage.read(self.upload.key)) == BYTES

    def teardown(self) -> None:
        """Nothing is lost: whatever happened, an upload that did not end can be completed."""
        if self.state not in {UploadState.OPEN, UploadState.COMPLETING}:
            return
        if self.state is UploadState.OPEN:
            try:
                for number in (1, 2, 3):
                    send(self.storage, self.upload, number)
            except ObjectNotFound:
                # Joined by a completion that crashed after its upload was opened again.
                assert self.storage.stat(self.upload.key).size == len(BYTES)
        self.run(completion.complete(self.upload.id, self.stores.uploads, self.storage))


MACHINE = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def check(environment: Synchronous, storage: DiskStorage, *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: UploadMachine(environment, storage),  # type: ignore[arg-type]
        settings=settings(MACHINE, max_examples=examples, stateful_step_count=steps),
    )


def test_no_order_of_crashes_loses_an_upload(
    synchronous: Synchronous, storage: DiskStorage
) -> None:
    check(synchronous, storage, examples=25, steps=12)


@pytest.mark.slow
def test_no_order_of_many_crashes_loses_an_upload(
    synchronous: Synchronous, storage: DiskStorage
) -> None:
    check(synchronous, storage, examples=150, steps=20)
