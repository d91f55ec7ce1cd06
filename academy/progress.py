"""A learner's progress in one lecture, and the heartbeats of which it is made.

Heartbeats arrive out of order, twice, and from several devices. What was watched is a union, so order
cannot matter there. The position is the newest: within one player session the higher `sequence` wins,
between sessions the one that arrived later (devices' clocks are not to be trusted).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from academy.watched import Range, bounded, clipped, covered, merged


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a player reports. `position` and `watched` in seconds."""

    subject: str
    lecture: str
    course: str
    position: float
    watched: tuple[Range, ...]
    at: datetime
    """When the server received it."""
    session: str | None = None
    """The player's visit to a page, in which `sequence` counts its reports."""
    sequence: int = 0

    def supersedes(self, other: Heartbeat | Progress) -> bool:
        """Whether this one's position is the newer; of equals, the one that came later is asked."""
        if self.session is not None and self.session == other.session:
            return self.sequence >= other.sequence
        return self.at >= other.at

    def joined(self, other: Heartbeat) -> Heartbeat:
        """One heartbeat that says what both said, of which `other` came first."""
        newest = self if self.supersedes(other) else other
        return replace(
            newest,
            at=max(self.at, other.at),
            watched=tuple(bounded(merged([*self.watched, *other.watched]))),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """As kept: `watched` is merged and bounded (`academy.watched`), seconds."""

    subject: str
    lecture: str
    course: str
    position: float
    watched: tuple[Range, ...]
    at: datetime
    started_at: datetime
    session: str | None = None
    sequence: int = 0

    @property
    def furthest(self) -> float:
        """The latest second watched: dragging a slider there does not count."""
        return self.watched[-1][1] if self.watched else 0.0

    def within(self, duration: float | None) -> tuple[Range, ...]:
        """Watched ranges inside the lecture as it is now."""
        return self.watched if duration is None else tuple(clipped(self.watched, duration))

    def covered(self, duration: float) -> float:
        """Seconds."""
        return covered(self.watched, duration)
