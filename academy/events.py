"""Events: what other systems want to be told of, and what they are told.

A change that someone waits for writes its event in its own transaction (`EventOutbox` in
`academy/stores.py`), so neither exists without the other. `academy/webhook_delivery.py` sends them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.ids import new_id


class EventKind(StrEnum):
    LECTURE_STREAMING = "lecture.streaming"
    """The beginning of a first recording can be played; the rest follows."""
    LECTURE_READY = "lecture.ready"
    """A recording is transcoded and is what viewers get now."""
    LECTURE_FAILED = "lecture.failed"
    """A recording's transcoding failed for good, or was cancelled."""
    CERTIFICATE_ISSUED = "certificate.issued"
    WEBHOOK_TEST = "webhook.test"
    """Asked for by an administrator, to one endpoint."""


class Event(BaseModel):
    """`data` is small and plain: names of what changed, for the receiver to read through the API."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    kind: EventKind
    occurred_at: datetime = Field(default_factory=now)
    data: dict[str, Any]
