"""An upload: its part plan, what has arrived, and its way open -> completing -> completed.

S3 and MongoDB share no transaction, so completion has a middle state; `academy/mongo/uploads.py`
holds the guarded moves and `academy/completion.py` drives them (also after a crash).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.ids import new_id

MIB = 1024**2
SMALLEST_PART = 5 * MIB
"""S3's own minimum for every part but the last."""
LARGEST_PART = 5 * 1024 * MIB
"""S3's own limit."""
USUAL_PART = 8 * MIB
"""What a break may cost on a bad line; on a good one several travel together (`docs/decisions/0110`)."""
MOST_PARTS = 10_000
LIFETIME = timedelta(days=7)


class UploadState(StrEnum):
    OPEN = "open"
    COMPLETING = "completing"
    COMPLETED = "completed"
    ABORTED = "aborted"
    EXPIRED = "expired"


class Part(BaseModel):
    """A part that arrived. `etag` without quotes, as the store gave it."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(ge=1, le=MOST_PARTS)
    size: int
    etag: str


class PartPlan(BaseModel):
    model_config = ConfigDict(frozen=True)

    part_size: int
    part_count: int


def plan_parts(size: int) -> PartPlan:
    """Equal parts of at least 8 MiB, at most 10,000 of them; the last one may be shorter."""
    part_size = USUAL_PART
    while size > part_size * MOST_PARTS:
        part_size *= 2
    return PartPlan(part_size=part_size, part_count=max(1, -(-size // part_size)))


class Upload(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    lecture_id: str
    number: int
    """1 for a lecture's first upload, then 2, 3 …"""
    recording_id: str = Field(default_factory=new_id)
    """Minted here, so that `complete` is repeatable and the object's key is known from the start."""
    filename: str
    size: int
    content_type: str
    part_size: int
    part_count: int
    storage_upload_id: str
    state: UploadState = UploadState.OPEN
    parts: list[Part] = Field(default_factory=list)
    """Saved by the move to `completing`; before that, the store knows what arrived."""
    created_by: str
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime

    @property
    def planned(self) -> bool:
        """Whether its parts were agreed on; otherwise what arrives decides, and `size` and `part_count` are what was
        counted last.
        """
        return self.part_size > 0

    @property
    def key(self) -> str:
        return source_key(self.recording_id)

    def expected_size(self, number: int, count: int = 1) -> int:
        """Bytes of part `number`, or of `count` neighbours from there on."""
        begin = self.part_size * (number - 1)
        return min(self.size, begin + self.part_size * count) - begin


def recording_prefix(recording_id: str) -> str:
    return f"recordings/{recording_id}/"


def source_key(recording_id: str) -> str:
    """Private; deleted by takedown, and by garbage collection once its lecture is gone."""
    return f"{recording_prefix(recording_id)}source"
