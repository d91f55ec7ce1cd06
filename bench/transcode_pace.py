"""The pace of a growing playlist, and whether a viewer who presses play at its first moment ever waits.

A lecture and a camera recording go through the pipeline as on the portal (short chunks first, rungs that would be
too slow left to a second pass), on this machine's encoders. A segment counts as shown when every track of the
first pass has a receipt for it and all before it, which is what growing playlists list. Yields the longest
time between two updates against the 1.5 target durations of RFC 8216bis, section 6.2.2, and the
longest that the viewer's clock ran ahead of the playlist against one target duration.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from academy.media import MediaPlan, Receipt
from bench.registry import Result, benchmark
from bench.transcode_lecture import camera, lecture, looped
from transcoding import binary
from transcoding.local import transcode_file

SECONDS: Final = 120.0
DRAWN: Final = 20.0
"""Seconds that are drawn; the rest repeats them."""
LOOK_EVERY: Final = 0.05
ALLOWED: Final = 1.5
"""Target durations between updates."""
NAMES: Final = ("transcode.pace.{}.longest_gap", "transcode.pace.{}.viewer_waits")


@benchmark(*(name.format("lecture") for name in NAMES))
def lecture_pace() -> Iterator[Result]:
    yield from pace("lecture", lecture)


@benchmark(*(name.format("camera") for name in NAMES))
def camera_pace() -> Iterator[Result]:
    yield from pace("camera", camera)


def pace(kind: str, make: Callable[[Path, str, float], Path]) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as place:
        program = binary.find().path
        source = looped(make(Path(place), program, DRAWN), program, SECONDS)
        watch = watched(source, Path(place) / "out")
    print(f"  {watch.told()}", file=sys.stderr)
    gap, waits = (name.format(kind) for name in NAMES)
    yield Result.of(gap, watch.longest_gap, "s", ALLOWED * watch.target)
    yield Result.of(waits, watch.waits, "s", watch.target)


@dataclass
class Watch:
    """When each segment appeared, seconds on one clock, as far as the folder's record was followed."""

    folder: Path
    tracks: Sequence[str] = ()
    target: float = 0.0
    seen: dict[tuple[str, int], float] = field(default_factory=dict)

    def follow(self, ended: threading.Event) -> None:
        read = 0
        path = self.folder / ".academy" / "receipts"
        while not ended.wait(LOOK_EVERY):
            if not self.tracks and not self._planned():
                continue
            if not path.exists():
                continue
            now = time.monotonic()
            with path.open("rb") as file:
                file.seek(read)
                lines = file.read().rpartition(b"\n")[0]
            read += len(lines) + bool(lines)
            for line in filter(None, lines.splitlines()):
                receipt = Receipt.model_validate_json(line)
                self.seen.setdefault((receipt.track, receipt.number), now)

    def _planned(self) -> bool:
        path = self.folder / ".academy" / "plan"
        if not path.exists():
            return False
        plan = MediaPlan.model_validate_json(path.read_text())
        self.tracks = plan.at_first.tracks
        self.target = float(plan.grid.segment_frames / plan.grid.frame_rate.fraction)
        return True

    @property
    def shown(self) -> list[float]:
        """When each segment could first be played, in order, up to the first that is missing."""
        found: list[float] = []
        while all((track, len(found)) in self.seen for track in self.tracks):
            found.append(max(self.seen[track, len(found)] for track in self.tracks))
        return list(accumulate(found, max))

    @property
    def longest_gap(self) -> float:
        """Seconds between two updates of the playlist."""
        return max(b - a for a, b in pairwise(self.shown))

    @property
    def waits(self) -> float:
        """Seconds that a viewer who pressed play with the first segment would have waited, in all."""
        shown = self.shown
        return max(at - (shown[0] + self.target * number) for number, at in enumerate(shown))

    def told(self) -> str:
        shown = self.shown
        gaps = sorted((b - a for a, b in pairwise(shown)), reverse=True)
        late = [gap for gap in gaps if gap > ALLOWED * self.target]
        margin = min(
            shown[0] + self.target * number - at for number, at in enumerate(shown[1:], start=1)
        )
        return (
            f"{len(shown)} segments of {', '.join(self.tracks)} in {shown[-1] - shown[0]:.1f} s;"
            f" longest gaps {', '.join(f'{gap:.1f}' for gap in gaps[:5])} s,"
            f" {len(late)} beyond {ALLOWED} target durations; the playlist was ahead of the viewer by"
            f" {margin:.1f} s at least"
        )


def watched(source: Path, out: Path) -> Watch:
    """Transcodes as on the portal and says when segments could be played."""
    watch, ended = Watch(out), threading.Event()
    follower = threading.Thread(target=watch.follow, args=(ended,), name="pace")
    follower.start()
    try:
        asyncio.run(transcode_file(source, out, watched=True))
    finally:
        time.sleep(2 * LOOK_EVERY)
        ended.set()
        follower.join()
    return watch
