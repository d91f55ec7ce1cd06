"""Which rungs are made first, so that whoever presses play at once never waits, and which later. Pure.

The rest of the ladder follows in a second pass and is published as a new revision of the manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from academy.media import MediaPlan, VideoRendition
from academy.recordings import Reason

AHEAD: Final = 1.3
"""Times real time that all encoders together must keep."""
PACE: Final = 0.75
"""Times real time that each of them must keep, where 2/3 would do: a growing playlist then gets its next
segment within 1.5 target durations (RFC 8216bis, section 6.2.2), however many encoders there are, and
seeking to the beginning of a chunk may take its time."""


def in_passes(plan: MediaPlan, slots: int) -> MediaPlan:
    """The plan with what comes later, and why. `slots`: encoders present."""
    later = later_rungs(plan.video, slots)
    if not later:
        return plan
    reason = Reason(
        code="second_pass",
        message=f"{', '.join(later)} would be encoded too slowly to be watched at once: "
        "added when the rest is finished.",
        figures={"encoders": float(slots)},
    )
    return plan.model_copy(update={"later": later, "explanation": [*plan.explanation, reason]})


def later_rungs(rungs: Sequence[VideoRendition], slots: int) -> list[str]:
    """Ids of rungs for the second pass. Nothing is put off whose cost nobody measured.

    The first pass grows from the cheapest rung of the codec that every player has. `slots`: encoders
    present; none yet counts as one.
    """
    costs = {rung.id: rung.cost for rung in rungs if rung.cost is not None}
    if len(costs) < len(rungs):
        return []
    most = min(max(1, slots) / AHEAD, 1 / PACE)
    spent = 0.0
    first: list[str] = []
    for rung in sorted(rungs, key=lambda rung: (rung.codec != "h264", rung.width * rung.height)):
        if first and spent + costs[rung.id] > most:
            break
        spent += costs[rung.id]
        first.append(rung.id)
    return [rung.id for rung in rungs if rung.id not in first]
