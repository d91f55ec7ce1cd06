"""Who asks with an invitation instead of an account: somebody who may send one recording, nothing else.

Everywhere but in the operations named here an invitation is no valid token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from academy.courses import now
from academy.errors import Gone, NotFound, Unauthenticated
from academy.invitations import PREFIX, Invitation, InvitationState, invited
from academy.keys import KeyRing
from academy.people import Identity
from academy.recording_stores import InvitationStore

OPERATIONS: Final = frozenset(
    {
        "begin_upload",
        "list_uploads",
        "sign_parts",
        "get_upload",
        "complete_upload",
        "abort_upload",
        "get_invitation",
        "uppy_begin",
    }
)
STILL_SEEN: Final = frozenset({InvitationState.OPEN, InvitationState.USED})


@dataclass(frozen=True, slots=True)
class Guests:
    keys: KeyRing
    invitations: InvitationStore

    async def guest(self, authorization: str | None) -> tuple[Identity, Invitation] | None:
        """None when the header carries no invitation. Gone once it expired or was revoked; read anew
        with each request, so that revoking works at once.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token.startswith(PREFIX):
            return None
        invitation_id = invited(self.keys, token)
        if invitation_id is None:
            raise Unauthenticated("This is no invitation of ours.", code="invalid_token")
        invitation = await self.standing(invitation_id)
        return Identity(subject=invitation.subject), invitation

    async def standing(self, invitation_id: str) -> Invitation:
        """Gone once it was revoked, or has expired without being used."""
        try:
            invitation = await self.invitations.get(invitation_id)
        except NotFound as error:
            raise Gone("This invitation was deleted.", code="invitation_ended") from error
        state = invitation.state(now())
        if state not in STILL_SEEN:
            raise Gone(
                f"This invitation was {state.value}: ask for another one."
                if state is InvitationState.REVOKED
                else "This invitation has expired: ask for another one.",
                code="invitation_ended",
            )
        return invitation
