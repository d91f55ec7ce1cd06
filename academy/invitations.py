"""An invitation: the right to send one recording to one lecture, without an account, for a while.

Its token is an HMAC of its id, so nothing secret is stored and its maker can see the link again. It
says nothing of the lecture; what it allows is looked up at each use, so that revoking works at once.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.ids import new_id
from academy.keys import KeyRing

PREFIX: Final = "inv."
"""No JSON Web Token begins so."""
GUEST: Final = "invitation:"
USUAL_DAYS: Final = 14
MOST_DAYS: Final = 90
_SHAPE: Final = re.compile(r"inv\.([0-9a-f]{32})\.([0-9a-f]{40})")


class InvitationState(StrEnum):
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Invitation(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    lecture_id: str
    note: str = ""
    """Whom it is for; seen by those who may write the lecture only."""
    created_by: str
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime
    revoked_at: datetime | None = None
    used_by: str | None = None
    """The upload that was completed, or is being."""

    @property
    def subject(self) -> str:
        """Whom uploads through it belong to."""
        return f"{GUEST}{self.id}"

    def state(self, at: datetime) -> InvitationState:
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        if self.used_by is not None:
            return InvitationState.USED
        return InvitationState.EXPIRED if at >= self.expires_at else InvitationState.OPEN


def token_of(keys: KeyRing, invitation_id: str) -> str:
    return f"{PREFIX}{invitation_id}.{keys.sign('invitations', invitation_id.encode())}"


def invited(keys: KeyRing, token: str) -> str | None:
    """The invitation's id; None for a token this service never made."""
    shape = _SHAPE.fullmatch(token)
    if shape is None or not keys.verify("invitations", shape[1].encode(), shape[2]):
        return None
    return shape[1]


def invitation_of(subject: str) -> str | None:
    """The id of the invitation that an upload was begun with; None where it was an account."""
    return subject.removeprefix(GUEST) if subject.startswith(GUEST) else None
