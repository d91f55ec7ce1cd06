"""What to do where picture or sound end before the plan does. Pure.

Sound that goes on after the picture (or the other way round) is ordinary: the last picture is held,
silence added. Where both end early the file was cut off: the media ends there, with a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from academy.errors import RejectedMedia
from academy.findings import warning
from academy.jobs import FailureKind
from academy.media import INIT, MediaPlan, Receipt
from academy.recordings import Finding, Inspection
from transcoding.ffmpeg import EncodingFailed
from transcoding.items import Item
from transcoding.tasks import Outcome, TaskKind

TOLERANCE: Final = Fraction(1)
"""Seconds that may be missing before anybody is told."""
LEAST: Final = Fraction(1)
"""Seconds of which a lecture can be made."""
LEAST_SHARE: Final = Fraction(1, 10)
"""Of what the file promises: below that its upload or recording surely went wrong."""
TRUNCATED: Final = "truncated"
DAMAGED: Final = "damaged"
MANY_COMPLAINTS: Final = 5
"""Lines of ffmpeg about errors, in one chunk."""


@dataclass(frozen=True)
class Ending:
    """Where each kind of stream ended, in seconds, and the plan that follows."""

    planned: MediaPlan
    inspection: Inspection
    """With a warning where the file was cut off."""
    frames: int
    ends: dict[TaskKind, float]
    holes: dict[TaskKind, set[int]]
    """Chunks that came short although later ones did not: their index is damaged."""
    short: bool

    def plan(self, receipts: Sequence[Receipt]) -> MediaPlan:
        """Not shorter than what was recorded, a second of held picture at most included."""
        grid = self.planned.grid
        rungs = {rung.id for rung in self.planned.video}
        recorded = [r.number for r in receipts if r.track in rungs and r.number != INIT]
        least = grid.first_frame(max(recorded) + 1) if recorded else 0
        frames = min(grid.frames, max(self.frames, least))
        shorter = grid.model_copy(update={"frames": frames})
        if self.planned.audio is not None:
            shorter = shorter.sounding()
        return self.planned.model_copy(update={"grid": shorter})

    def hold_from(self, item: Item) -> float:
        start = float(self.planned.grid.start(item.chunk.first_segment))
        if item.chunk.index in self.holes.get(item.kind, ()):
            return start
        return self.ends.get(item.kind, start)

    def refuse_still_short(self, items: Sequence[Item]) -> None:
        """Raises EncodingFailed when there was no picture at all to hold."""
        if any(item.result and item.result.outcome is Outcome.SHORT for item in items):
            raise EncodingFailed(
                "Parts of the recording stayed empty although they were asked for twice.",
                kind=FailureKind.BUG,
            )


def ending_of(plan: MediaPlan, inspection: Inspection, items: Sequence[Item]) -> Ending:
    """Raises RejectedMedia where too little is left."""
    duration = plan.grid.duration
    ends: dict[TaskKind, float] = {}
    holes: dict[TaskKind, set[int]] = {}
    for kind in TaskKind:
        short = [
            (item.chunk.index, item.result.ends_at or 0.0)
            for item in items
            if item.kind is kind and item.result and item.result.outcome is Outcome.SHORT
        ]
        last = max(
            (
                item.chunk.index
                for item in items
                if item.kind is kind and item.result and item.result.outcome is Outcome.DONE
            ),
            default=-1,
        )
        holes[kind] = {index for index, _ in short if index < last}
        behind = [end for index, end in short if index > last]
        if behind:
            ends[kind] = min(behind)
    there = ([TaskKind.VIDEO] if plan.video else []) + ([TaskKind.AUDIO] if plan.audio else [])
    end = max((Fraction(ends[kind]) if kind in ends else duration) for kind in there)
    frames = plan.grid.frames
    if end < duration - TOLERANCE:
        if end < LEAST or end < duration * LEAST_SHARE:
            raise RejectedMedia(
                f"Only {float(end):.0f} of {float(duration):.0f} seconds of the recording can be "
                "read: the file was cut off. Upload it again, or export it anew.",
                code=TRUNCATED,
            )
        frames = min(frames, max(1, ceil(end * plan.grid.frame_rate.fraction)))
        inspection = _warned(inspection, float(end), float(duration))
    return Ending(
        planned=plan,
        inspection=inspection,
        frames=frames,
        ends=ends,
        holes=holes,
        short=bool(ends) or any(holes.values()),
    )


def with_damage(inspection: Inspection, items: Sequence[Item]) -> Inspection:
    """With a warning where decoding met damage, unless there is one already."""
    worst = max((item.result.complaints for item in items if item.result), default=0)
    told = {finding.code for finding in inspection.findings}
    # A few complaints are usual where reading begins between two keyframes.
    if worst < MANY_COMPLAINTS or told & {DAMAGED, TRUNCATED}:
        return inspection
    return _with(inspection, warning(DAMAGED))


def _warned(inspection: Inspection, end: float, planned: float) -> Inspection:
    if any(finding.code == TRUNCATED for finding in inspection.findings):
        return inspection
    return _with(inspection, warning(TRUNCATED, of=planned, there=end))


def _with(inspection: Inspection, finding: Finding) -> Inspection:
    return inspection.model_copy(update={"findings": [*inspection.findings, finding]})
