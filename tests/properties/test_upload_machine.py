"""No order of parts, crashes, reconcilers and second thoughts loses an upload."""

from __future__ import annotations

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
from academy.coverage import coverage
from academy.errors import Conflict, ObjectNotFound
from academy.recordings import Recording
from academy.storage import staging
from academy.storage.disk import DiskStorage
from academy.uploads import Upload, UploadState
from tests.fixtures_mongo import Synchronous
from tests.properties.crashes import AT_ONCE, BYTES, Crash, Tripwire, begun, send

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


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's smallest part has 5 MiB; here parts of 5 bytes say as much, sooner."""
    monkeypatch.setattr(staging, "SMALLEST_PART", 1)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> DiskStorage:
    return DiskStorage(tmp_path_factory.mktemp("objects"))


class UploadMachine(RuleBasedStateMachine):
    """Parts come right and wrong, alone and together, completions crash anywhere, reconcilers run, owners give up."""

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

    @rule(
        number=st.integers(1, 3),
        count=st.sampled_from([1, 1, 2, 3]),
        wrong=st.sampled_from([False, False, True]),
    )
    def send(self, number: int, count: int, wrong: bool) -> None:
        """Alone or with the neighbours behind it, right or wrong, over what was there."""
        try:
            send(self.storage, self.upload, number, b"four" if wrong else None, count=count)
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
                arrived = self.storage.parts(self.upload.key, self.upload.storage_upload_id)
                for number in coverage(self.upload, arrived).wanted:
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
