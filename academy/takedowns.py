"""A takedown: what of a lecture was deleted for good, who asked for it, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.courses import now
from academy.errors import NotFound
from academy.ids import new_id
from academy.media import media_prefix
from academy.uploads import recording_prefix


class TakenDown(NotFound):
    """This lecture was taken down. It may come back with another recording."""

    code = "taken_down"


class NewTakedown(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    """For the record, such as the number of a complaint."""


class Takedown(BaseModel):
    """Kept for ever. `recordings` and `media` are ids, whose objects are gone once `finished_at` is set."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    lecture_id: str
    course: str
    title: dict[str, str]
    reason: str
    taken_down_by: str
    taken_down_at: datetime = Field(default_factory=now)
    recordings: list[str]
    media: list[str]
    purged_at: datetime | None = None
    """When the CDN was told, where there is one to tell."""
    finished_at: datetime | None = None
    trouble: str | None = None
    """Why it is not finished yet, if something went wrong; it is tried again every minute."""

    @property
    def prefixes(self) -> list[str]:
        """Everything below these is deleted."""
        return [
            *(recording_prefix(recording) for recording in self.recordings),
            *(media_prefix(media) for media in self.media),
        ]
