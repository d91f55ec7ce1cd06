"""Completing an upload, killed between every two steps, over a real MongoDB and the real disk storage."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from academy import completion
from academy.courses import now
from academy.errors import Conflict, ObjectNotFound, Unavailable
from academy.mongo.stores import MongoStores
from academy.storage import staging
from academy.storage.disk import DiskStorage
from academy.uploads import Upload, UploadState
from tests.properties.crashes import AT_ONCE, BYTES, Crash, Tripwire, begun, send, sent


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's smallest part has 5 MiB; here parts of 5 bytes say as much, sooner."""
    monkeypatch.setattr(staging, "SMALLEST_PART", 1)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> DiskStorage:
    return DiskStorage(tmp_path_factory.mktemp("objects"))


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


@pytest.mark.parametrize("runs", [[(1, 3)], [(2, 2), (1, 1)], [(1, 2), (3, 1)]])
async def test_parts_that_came_together_complete_as_the_same_file(
    stores: MongoStores, storage: DiskStorage, runs: list[tuple[int, int]]
) -> None:
    upload = await begun(stores, storage)
    for number, count in runs:
        send(storage, upload, number, count=count)
    await completion.complete(upload.id, stores.uploads, storage)
    await assert_completed(stores, storage, upload)


async def test_a_wide_part_over_one_that_arrived_is_to_be_sent_again(
    stores: MongoStores, storage: DiskStorage
) -> None:
    """Ceph completes no upload of which a part is left out."""
    upload = await begun(stores, storage)
    send(storage, upload, 2)
    send(storage, upload, 1, count=3)
    with pytest.raises(Conflict, match="3 did not arrive and 1 arrived with the wrong size"):
        await completion.complete(upload.id, stores.uploads, storage)
    send(storage, upload, 1)
    send(storage, upload, 3)
    await completion.complete(upload.id, stores.uploads, storage)
    await assert_completed(stores, storage, upload)


async def test_the_beginning_of_a_wide_part_sent_again_alone_leaves_the_rest_missing(
    stores: MongoStores, storage: DiskStorage
) -> None:
    upload = await begun(stores, storage)
    send(storage, upload, 1, count=3)
    send(storage, upload, 1)
    with pytest.raises(Conflict, match="Of 3 parts, 2–3 did not arrive"):
        await completion.complete(upload.id, stores.uploads, storage)
    send(storage, upload, 2, count=2)
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


async def test_a_wide_part_that_arrives_meanwhile_costs_one_part_again(
    stores: MongoStores, tmp_path: Path
) -> None:
    """A request given up by its client, which sent the parts one by one, may still reach the store."""
    storage = SentAgain(tmp_path)
    upload = await sent(stores, storage)
    storage.again = BYTES[:10]
    with pytest.raises(Conflict, match="1 arrived with the wrong size"):
        await completion.complete(upload.id, stores.uploads, storage)
    send(storage, upload, 1)
    await completion.complete(upload.id, stores.uploads, storage)
    await assert_completed(stores, storage, upload)


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
