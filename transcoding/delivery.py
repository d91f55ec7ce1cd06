"""Uploads finished segments and records their receipts, beside the encoder that makes the next ones.

One thread per task; the segments it finds waiting go up together and are recorded in order.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from academy.media import Receipt
from transcoding.process import Cancelled
from transcoding.workspaces import Workspace

CACHE_CONTROL: Final = "public, max-age=86400, immutable"
WAITING: Final = 16
"""Batches that may wait; then the encoder does."""
AT_ONCE: Final = 8
"""Uploads."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One object and the receipt that proves it."""

    receipt: Receipt
    data: bytes
    content_type: str


class Delivery:
    """A context: leaving it waits until all is recorded, or, after an error, drops what waits."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_recorded: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._workspace = workspace
        self._cancelled = cancelled
        self._on_recorded = on_recorded
        self._queue: queue.Queue[Sequence[Parcel] | None] = queue.Queue(WAITING)
        self._failure: BaseException | None = None
        self._dropped = False
        self._context = copy_context()
        self._thread = threading.Thread(target=self._work, name="delivery", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dropped = kind is not None
        if self._dropped:
            self._drain()
        self._queue.put(None)
        # A lost lease or a cancelled task must end soon: an upload under way goes on without us.
        self._thread.join(1.0 if self._dropped else None)
        if kind is None:
            self.check()

    def hand_over(self, batch: Sequence[Parcel]) -> None:
        """Objects that become visible together. Raises what went wrong before, and Cancelled."""
        while True:
            self.check()
            try:
                self._queue.put(batch, timeout=0.5)
            except queue.Full:
                if self._cancelled():
                    raise Cancelled from None
            else:
                return

    def check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _drain(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()

    def _work(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upload") as pool:
            last = False
            while not last:
                batches = [self._queue.get()]
                while len(batches) < AT_ONCE and not self._queue.empty():
                    batches.append(self._queue.get())
                last = None in batches
                wanted = [batch for batch in batches if batch is not None]
                # After a failure the queue is still emptied, so that nobody waits at its other end.
                if wanted and self._failure is None and not self._dropped:
                    try:
                        self._deliver(pool, wanted)
                    except BaseException as error:  # noqa: BLE001 - handed to the task's own thread
                        self._failure = error

    def _deliver(self, pool: ThreadPoolExecutor, batches: Sequence[Sequence[Parcel]]) -> None:
        parcels = [parcel for batch in batches for parcel in batch]
        # What is said and measured there belongs to the task, too: a context per thread.
        list(pool.map(lambda parcel: self._context.copy().run(self._upload, parcel), parcels))
        self._workspace.journal.record([parcel.receipt for parcel in parcels])
        self._on_recorded(len(batches))

    def _upload(self, parcel: Parcel) -> None:
        self._workspace.storage.put(
            self._workspace.key(parcel.receipt.name),
            parcel.data,
            content_type=parcel.content_type,
            cache_control=CACHE_CONTROL,
        )
