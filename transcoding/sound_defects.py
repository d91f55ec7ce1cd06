"""What is wrong with a recording's sound, from what `libav/levels.py` heard in a few places. Pure.

Whole recordings are judged up to about two minutes; of longer ones the places that were listened to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

Place = Mapping[str, Sequence[float]]
"""`momentary`: LUFS every 100 ms; `tops`: the highest sample in each of these (1.0 is full scale);
`gaps`: seconds after the place's first sound at which nothing was recorded for a while."""

SILENCE: Final = -70.0
"""LUFS: the absolute gate of ITU-R BS.1770-4. Rooms are louder, switched-off microphones are not."""
FULL_SCALE: Final = 0.98
"""-0.2 dB: lossy codecs move what was cut off at full scale a little down or up."""
CLIPPED_SHARE: Final = 0.1
"""Of the blocks that can be heard. Speech whose loudest moment is at full scale touches it in far fewer."""
FEWEST_BLOCKS: Final = 5
LONG_SILENCE: Final = 50
"""Blocks of 100 ms: no speaker pauses for so long in a room that makes no sound at all."""


def is_clipped(places: Sequence[Place]) -> bool:
    """Whether so much of what can be heard touches full scale that the rest must have been cut off."""
    tops = [
        top
        for place in places
        for momentary, top in zip(place["momentary"], place["tops"], strict=True)
        if momentary > SILENCE
    ]
    full = sum(top >= FULL_SCALE for top in tops)
    return full >= FEWEST_BLOCKS and full >= CLIPPED_SHARE * len(tops)


def drop_outs(places: Sequence[Place], starts: Sequence[float]) -> list[float]:
    """Seconds at which sound breaks off and comes back, rising: holes in time, and long utter silence.

    `starts`: seconds at which the places begin. Silence before the first and after the last sound is
    none: lectures begin late and end early.
    """
    audible = [
        (number, block)
        for number, place in enumerate(places)
        for block, momentary in enumerate(place["momentary"])
        if momentary > SILENCE
    ]
    if not audible:
        return []
    first, last = audible[0], audible[-1]
    found: list[float] = []
    for number, (place, start) in enumerate(zip(places, starts, strict=True)):
        found += [start + gap for gap in place["gaps"]]
        found += [
            start + block / 10
            for block in _silences(place["momentary"])
            if first < (number, block) < last
        ]
    return sorted(found)


def _silences(momentary: Sequence[float]) -> Iterator[int]:
    """Blocks with which long silences begin."""
    length = 0
    for block, value in enumerate(momentary):
        length = length + 1 if value <= SILENCE else 0
        if length == LONG_SILENCE:
            yield block - LONG_SILENCE + 1
