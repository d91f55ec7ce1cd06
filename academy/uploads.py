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
SMALL_PART = 8 * MIB
USUAL_PART = 32 * MIB
"""A part by itself costs Swift the time of some 6 MiB of bytes: `docs/decisions/0110`."""
FEWEST_PARTS = 16
"""Of a file above 128 MiB: a break then costs little of it, and they go out side by side."""
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
    """Equal parts of 8 to 32 MiB, larger where 10,000 would not do; the last one may be shorter."""
    part_size = SMALL_PART
    while part_size < USUAL_PART and size >= 2 * part_size * FEWEST_PARTS:
        part_size *= 2
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
        """Whether its parts were agreed on; otherwise what arrives decides, and `size` and `part_count` are 0 until then."""
        return self.part_size > 0

    @property
    def key(self) -> str:
        return source_key(self.recording_id)

    def expected_size(self, number: int) -> int:
        if number < self.part_count:
            return self.part_size
        return self.size - self.part_size * (self.part_count - 1)


def recording_prefix(recording_id: str) -> str:
    return f"recordings/{recording_id}/"


def source_key(recording_id: str) -> str:
    """Private; deleted by takedown, and by garbage collection once its lecture is gone."""
    return f"{recording_prefix(recording_id)}source"
