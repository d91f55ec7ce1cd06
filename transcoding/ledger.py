"""Through what the pipeline tells its owner how far it is: a job in MongoDB, or a directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from academy.jobs import Progress
from academy.media import MediaPlan, Publication, Receipt
from academy.recordings import Inspection


@dataclass(frozen=True, slots=True)
class Frozen:
    """The plan that counts from now on, and the media it makes: an earlier attempt's if there was one."""

    media_id: str
    plan: MediaPlan


class Ledger(Protocol):
    """The owner's record of one recording's transcoding. Each write raises LeaseLost once another
    owns the job.
    """

    async def inspected(self, inspection: Inspection) -> None: ...

    async def frozen(self) -> Frozen | None:
        """What an earlier attempt froze, if any: it need not be planned again."""

    async def freeze(self, plan: MediaPlan) -> Frozen:
        """Keeps `plan` and mints the media's id, once; later calls return what was frozen first."""

    async def receipts(self, media_id: str) -> Sequence[Receipt]:
        """All that were recorded so far, of whichever attempt."""

    async def publication(self, media_id: str) -> Publication | None:
        """What is published of these media, by whomever."""

    async def publish(self, publication: Publication) -> None:
        """Viewers get it from now on. Conflict when it is not the revision after the current one."""

    async def progress(self, progress: Progress) -> None:
        """Called about once a second; may drop what comes too often."""
