"""Internships and jobs that partners offer to learners."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.drafts import TextPatch, WebAddress
from academy.ids import Slug, new_id
from academy.localised import LocalisedInput, LocalisedText

Slugs = Annotated[list[Slug], Field(max_length=20)]


class OpportunityKind(StrEnum):
    INTERNSHIP = "internship"
    JOB = "job"


class Opportunity(BaseModel):
    """Open through `closes_on` (a day everywhere on earth, so until noon UTC of the next); then it expires."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    title: LocalisedText
    organisation: LocalisedText
    location: LocalisedText | None = None
    description: LocalisedText | None = None
    kind: OpportunityKind
    url: str
    programmes: list[Slug] = Field(default_factory=list)
    closes_on: date
    created_at: datetime = Field(default_factory=now)
    revision: int = 1


class NewOpportunity(BaseModel):
    """A plain string means Chinese, as for universities and programmes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: LocalisedInput
    organisation: LocalisedInput
    location: LocalisedInput | None = None
    description: LocalisedInput | None = None
    kind: OpportunityKind
    url: WebAddress
    programmes: Slugs = Field(default_factory=list)
    closes_on: date


class OpportunityPatch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: TextPatch | None = None
    organisation: TextPatch | None = None
    location: TextPatch | None = None
    description: TextPatch | None = None
    kind: OpportunityKind | None = None
    url: WebAddress | None = None
    programmes: Slugs | None = None
    closes_on: date | None = None
