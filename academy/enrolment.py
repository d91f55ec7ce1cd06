"""A learner's wish to finish a course."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.ids import Slug


class Enrolment(BaseModel):
    model_config = ConfigDict(frozen=True)

    subject: str
    course: Slug
    enrolled_at: datetime = Field(default_factory=now)
