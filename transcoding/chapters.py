"""Chapters from slides: looks at finished segments, never before they can be played.

First at one picture per segment of the smallest rendition, which a storyboard needs too; only segments
in which something besides the ever-moving changed are decoded whole, to find the moment. About 20 s of CPU
for two hours of slides; a recording that changes all the time is left without chapters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from PIL import Image

from transcoding import slides
from transcoding.reel import AT_ONCE, Reel

BRIEF: Final = 9
"""Segments that are all looked at closely: too few to tell what always moves from what changes often."""
MOST_CLOSE: Final = 400
"""Segments looked at closely: more of them and it is no slide show."""
SHORTEST: Final = 3.0
"""Seconds: a slide shown for less was passed over."""
MOST_CHAPTERS: Final = 300


def slide_times(reel: Reel) -> list[float]:
    """Seconds at which a new slide appears, the first one (at 0) left out."""
    size = reel.size_within(slides.SIDE)
    count = reel.grid.segment_count
    if count <= BRIEF:
        busy = list(range(count))
    else:
        pairs = [slides.changed(one, other) for one, other in pairwise(reel.firsts(size))]
        # What changes within the last segment no later picture shows.
        busy = sorted({*slides.restless(pairs), count - 1})
    if len(busy) > MOST_CLOSE:
        return []
    return [
        time
        for first, last in slides.runs(busy)
        for time in slides.new_slides(_close(reel, first, last, size))
    ]


def _close(
    reel: Reel, first: int, last: int, size: tuple[int, int]
) -> Iterator[tuple[float, Image.Image]]:
    """These segments and the first picture behind them, a few pictures each second."""
    numbers = range(first, last + 1)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reel") as pool:
        for begin in range(0, len(numbers), AT_ONCE):
            batch = numbers[begin : begin + AT_ONCE]
            for seen in pool.map(lambda number: reel.all_of(number, size), batch):
                yield from seen
    if last + 1 < reel.grid.segment_count:
        yield float(reel.grid.start(last + 1)), reel.first(last + 1, size, grey=True)


def spans(times: Sequence[float], duration: float) -> list[tuple[float, float]]:
    """(start, end) of each chapter in seconds, without those too short to be meant; none of a single one."""
    kept = [0.0]
    for time in [*times, duration]:
        if time - kept[-1] < SHORTEST and len(kept) > 1:
            kept.pop()
        if time - kept[-1] >= SHORTEST or time == duration:
            kept.append(time)
    chapters = list(pairwise(kept))
    return chapters if 1 < len(chapters) <= MOST_CHAPTERS else []


def title(number: int) -> dict[str, str]:
    """Of the n-th chapter, until somebody names it."""
    return {"zh": f"第 {number} 页", "en": f"Slide {number}", "fr": f"Diapositive {number}"}
