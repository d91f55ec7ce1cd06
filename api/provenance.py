"""What a public answer was made from, and until when it holds: told by its route to the response cache."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SCOPE_KEY: Final = "academy.provenance"
"""Where the cache leaves a Provenance in the ASGI scope of an answer it wants to keep."""


@dataclass(slots=True)
class Provenance:
    """An answer that names nothing it was made from is not kept."""

    marks: set[str] = field(default_factory=set)
    """As `academy.catalogue.mark` makes them: `courses/intro`, or `courses` for all of them."""
    until: float | None = None
    """Unix time at which the answer changes by itself: a token's bucket ends, an offer closes."""

    def add(self, marks: Iterable[str], until: float | None = None) -> None:
        self.marks.update(marks)
        if until is not None and (self.until is None or until < self.until):
            self.until = until
