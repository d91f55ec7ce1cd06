"""A certificate: what it says stays as it was on the day it was issued, whatever happens to the course."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.courses import now
from academy.ids import Slug
from academy.localised import LanguageTag, LocalisedText

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: nothing in it looks like something else."""
_GROUPS: Final = 5
_GROUP: Final = 5
HolderName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$"
    ),
]


def new_code() -> str:
    """125 random bits in five groups of five, short enough to copy from paper."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def normal_code(text: str) -> str:
    """As people type it: capitals, missing or other hyphens, O for 0, I and L for 1."""
    plain = text.strip().lower().translate(str.maketrans("oil", "011"))
    kept = "".join(character for character in plain if character in _ALPHABET)
    return "-".join(kept[at : at + _GROUP] for at in range(0, len(kept), _GROUP))


class Certificate(BaseModel):
    """Names and titles are copies of that day. `subject` is null once the learner erased their data."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(default_factory=new_code)
    subject: str | None
    name: str | None
    """The holder's, as printed; null when neither the token nor the learner gave one."""
    course: Slug
    title: LocalisedText
    language: LanguageTag
    programme: LocalisedText | None = None
    universities: list[LocalisedText] = Field(default_factory=list)
    instructors: list[LocalisedText] = Field(default_factory=list)
    lectures: int
    """How many lectures were to be covered, of `duration` seconds altogether."""
    duration: float
    share: float
    """0..1 of each lecture that had to be covered."""
    issued_at: datetime = Field(default_factory=now)
    revoked_at: datetime | None = None
    reason: str | None = None
    """Why it was revoked: public."""

    @property
    def valid(self) -> bool:
        return self.revoked_at is None
