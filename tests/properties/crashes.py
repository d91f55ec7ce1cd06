"""An upload of three small parts, and a wire that crashes its completion between any two steps."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

from academy.mongo.stores import MongoStores
from academy.storage.disk import DiskStorage
from academy.uploads import Upload
from tests.documents import a_lecture_in, an_upload

AT_ONCE = timedelta()
BYTES = b"AAAAABBBBBCC"


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


async def begun(stores: MongoStores, storage: DiskStorage) -> Upload:
    lecture = await a_lecture_in(stores)
    upload = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
    begun = upload.model_copy(
        update={"storage_upload_id": storage.start(upload.key, content_type="video/mp4")}
    )
    await stores.uploads.add(begun)
    return begun


def send(
    storage: DiskStorage,
    upload: Upload,
    number: int,
    data: bytes | None = None,
    *,
    count: int = 1,
) -> None:
    """Part `number` of BYTES and its neighbours, `count` together, or other bytes in their place."""
    start = (number - 1) * upload.part_size
    with storage.receive_part(upload.key, upload.storage_upload_id, number) as part:
        part.write(BYTES[start : start + upload.part_size * count] if data is None else data)
        part.commit()


async def sent(stores: MongoStores, storage: DiskStorage) -> Upload:
    upload = await begun(stores, storage)
    for number in (1, 2, 3):
        send(storage, upload, number)
    return upload
