"""What the documents say of stored objects: who needs them, and if nobody does, why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why nobody needs an object any more. Once true, each stays true: nothing returns from these."""

    UNKNOWN = "unknown"
    """No document names it."""
    LECTURE_GONE = "lecture_gone"
    """Its lecture, or its whole course, was deleted."""
    SUPERSEDED = "superseded"
    """The lecture plays media that were made later."""
    GIVEN_UP = "given_up"
    """The job that made it failed or was cancelled; a retry makes media of its own."""
    STRAY = "stray"
    """A segment without a receipt: written by somebody who had lost the lease."""
    PROBE = "probe"
    """Left by `academy doctor` when it was killed."""


@dataclass(frozen=True, slots=True)
class MediaHolding:
    """Of media that exist as a document. `reason` None: they are needed."""

    reason: Reason | None
    settled: bool
    """Their job has ended long enough ago: no segment gets a receipt any more."""


@dataclass(frozen=True, slots=True)
class HeldRecording:
    id: str
    key: str
    lecture_id: str
    size: int
    lecture_exists: bool


@dataclass(frozen=True, slots=True)
class HeldMedia:
    """Published, and played by a lecture."""

    id: str
    lecture_id: str
    names: frozenset[str]
    """Objects that must be there, below the media's prefix."""
