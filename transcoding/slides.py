"""When a new slide appears, judged from small grey pictures. Pure.

Two pictures are compared block by block, ten pixels square, without the blocks that move all the time
(a lecturer in a corner). What changed is a new slide only if what was there before is gone: a bullet
that is added keeps the rest, and a page that scrolls is found again a little higher or lower.
Pictures are 320 pixels wide or high; comparing two takes about 0.3 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageFilter

SIDE: Final = 320
"""Of the pictures' longer side, pixels."""
BLOCK: Final = 10
DIFFERENT: Final = 24
"""Grey levels of 255 by which a pixel differs: more than an encoder's noise, less than thin text."""
TOUCHED: Final = 20
"""Of 255: the share of a block's pixels that differ."""
MOVING: Final = 0.8
"""Share of a segment's neighbours in which a block must change to count as moving all the time."""
AROUND: Final = 8
"""Neighbours on either side."""
SMALL: Final = 0.2
"""Share of the picture that a speaker, a clock or a pointer takes, seen beside slides."""
NOW_AND_THEN: Final = 0.3
"""Share of the neighbours with small changes only in which a block must change to count as moving: a
speaker stands still at times, but no slide changes the same place again and again."""
RESTLESS: Final = 0.2
"""Share of quick looks in which a moving block changes, both before and after."""
BEFORE_AND_AFTER: Final = 5.0
"""Seconds looked at to tell what moves."""
LEAST: Final = 0.02
"""Share of the still blocks that change with a slide; a pointer or a clock is less."""
STILL_ENOUGH: Final = 0.3
"""Share of the picture that must stand still for it to be slides at all."""
SETTLED: Final = 0.6
"""Seconds without a change after which a transition is over."""
GONE: Final = 0.08
"""Share of the old outlines that vanish with a new slide."""
BLANK: Final = 150
"""Pixels of outline below which a picture shows nothing."""
FARTHEST: Final = 60
"""Pixels that a page may scroll between two pictures."""
SCROLLED: Final = 3
"""Looks that find the page moved make a transition scrolling."""
SHRUNK: Final = 0.4
"""Scrolling, once undone, leaves less than this share of the difference."""

_OVER = [255 if value > DIFFERENT else 0 for value in range(256)]
_EDGE = [255 if value > 2 * DIFFERENT else 0 for value in range(256)]
Blocks = bytes
"""One byte for each block in reading order: 1 where it changed."""


def changed(one: Image.Image, other: Image.Image) -> Blocks:
    """Which blocks differ between two grey pictures of equal size."""
    over = ImageChops.difference(one, other).point(_OVER)
    return bytes(value > TOUCHED for value in over.reduce(BLOCK).tobytes())


def restless(pairs: Sequence[Blocks]) -> list[int]:
    """The neighbouring pictures between which something changed besides what moves all the time, or now
    and then while nothing else does.
    """
    return [at for at, blocks in enumerate(pairs) if share(blocks, _still(pairs, at)) >= LEAST]


def _still(pairs: Sequence[Blocks], at: int) -> Blocks:
    around = [*pairs[max(0, at - AROUND) : at], *pairs[at + 1 : at + 1 + AROUND]]
    if not around:
        return bytes([1]) * len(pairs[at])
    always = [sum(column) >= MOVING * len(around) for column in zip(*around, strict=True)]
    quiet = [pair for pair in around if sum(pair) <= SMALL * len(pair)]
    if len(quiet) < AROUND // 2:
        return bytes(not moves for moves in always)
    often = NOW_AND_THEN * len(quiet)
    return bytes(
        not moves and sum(column) < often
        for moves, column in zip(always, zip(*quiet, strict=True), strict=True)
    )


def share(blocks: Blocks, mask: Blocks) -> float:
    """Of the blocks in the mask, those that are set; 0 where too little stands still."""
    there = sum(mask)
    if there < STILL_ENOUGH * len(mask):
        return 0.0
    return sum(a & b for a, b in zip(blocks, mask, strict=True)) / there


@dataclass(frozen=True, slots=True)
class Look:
    """A picture, and what changed since the one before."""

    time: float
    """Seconds."""
    picture: Image.Image
    changes: Blocks


def looks(pictures: Iterable[tuple[float, Image.Image]]) -> Iterator[Look]:
    last: Image.Image | None = None
    for time, picture in pictures:
        yield Look(time, picture, changed(last or picture, picture))
        last = picture


def masked(seen: Iterable[Look]) -> Iterator[tuple[Look, Blocks]]:
    """Each with 1 for every block that does not move: a moving one does so before and after.

    Holds the pictures of twice BEFORE_AND_AFTER, and is that much behind.
    """
    past: deque[Look] = deque()
    ahead: deque[Look] = deque()
    waiting = iter(seen)
    more = True
    while more or ahead:
        while more and (not ahead or ahead[-1].time - ahead[0].time <= BEFORE_AND_AFTER):
            following = next(waiting, None)
            more = following is not None
            if following is not None:
                ahead.append(following)
        if not ahead:
            return
        now = ahead.popleft()
        while past and now.time - past[0].time > BEFORE_AND_AFTER:
            past.popleft()
        yield now, _still_around(past, now, ahead)
        past.append(now)


def _still_around(past: Sequence[Look], now: Look, ahead: Sequence[Look]) -> Blocks:
    """At either end there is only one side to judge by."""
    sides = [side for side in (past, ahead) if side and _length(side) > BEFORE_AND_AFTER / 2]
    if not sides:
        return bytes([1]) * len(now.changes)
    moving = [_moving(side) for side in sides]
    return bytes(not all(column) for column in zip(*moving, strict=True))


def _length(side: Sequence[Look]) -> float:
    return side[-1].time - side[0].time


def _moving(side: Sequence[Look]) -> Blocks:
    """Blocks that change again and again."""
    most = max(2.0, RESTLESS * len(side))
    return bytes(sum(column) > most for column in zip(*(e.changes for e in side), strict=True))


def new_slides(pictures: Iterable[tuple[float, Image.Image]]) -> Iterator[float]:
    """When a new slide appears, in seconds. Pictures come a few each second, with rising times."""
    change: _Transition | None = None
    last: Image.Image | None = None
    for look, mask in masked(looks(pictures)):
        if share(look.changes, mask) >= LEAST / 2 and last is not None:
            if change is None:
                change = _Transition(look.time, last, mask)
            change.steps += 1
            change.scrolled += scrolls(last, look.picture, mask)
            change.latest = look.time
        elif change is not None and look.time - change.latest >= SETTLED:
            if change.leads_to(look.picture, mask):
                yield change.began
            change = None
        last = look.picture
    if change is not None and last is not None and change.leads_to(last, change.mask):
        yield change.began


@dataclass
class _Transition:
    began: float
    before: Image.Image
    mask: Blocks
    latest: float = 0.0
    """Its last change so far."""
    steps: int = 0
    scrolled: int = 0

    def leads_to(self, picture: Image.Image, mask: Blocks) -> bool:
        """A new slide."""
        # In the midst of scrolling most of the page counts as moving, and less can be told.
        if self.scrolled >= SCROLLED or 2 * self.scrolled > self.steps:
            return False
        both = bytes(a & b for a, b in zip(self.mask, mask, strict=True))
        return is_new(self.before, picture, both)


def is_new(before: Image.Image, after: Image.Image, mask: Blocks) -> bool:
    """Whether what was shown before is gone, rather than added to or moved up or down."""
    if share(changed(before, after), mask) < LEAST or scrolls(before, after, mask):
        return False
    old, new = outlines(before, mask), outlines(after, mask)
    there = old.histogram()[255]
    if there < BLANK:
        return new.histogram()[255] >= BLANK or not _same_shade(before, after)
    over = ImageChops.difference(before, after).point(_OVER)
    return ImageChops.multiply(old, over).histogram()[255] / there >= GONE


def _same_shade(one: Image.Image, other: Image.Image) -> bool:
    shades = [picture.resize((1, 1), Image.Resampling.BOX).tobytes()[0] for picture in (one, other)]
    return abs(shades[0] - shades[1]) <= DIFFERENT


def outlines(picture: Image.Image, mask: Blocks) -> Image.Image:
    """White where letters and shapes have their borders, within the mask."""
    edges = picture.filter(ImageFilter.FIND_EDGES).point(_EDGE)
    return ImageChops.multiply(edges, _spread(mask, picture.size))


def _spread(mask: Blocks, size: tuple[int, int]) -> Image.Image:
    across, down = -(-size[0] // BLOCK), -(-size[1] // BLOCK)
    small = Image.frombytes("L", (across, down), bytes(255 * value for value in mask))
    return small.resize((across * BLOCK, down * BLOCK), Image.Resampling.NEAREST).crop(
        (0, 0, *size)
    )


def scrolls(before: Image.Image, after: Image.Image, mask: Blocks) -> bool:
    """Whether the new picture is mostly the old one, higher or lower."""
    spread = _spread(mask, before.size)
    one, other = (ImageChops.multiply(picture, spread) for picture in (before, after))
    # Only the part that changed: a title bar above the page stays where it is.
    box = ImageChops.difference(one, other).point(_OVER).getbbox()
    if box is None or box[3] - box[1] < before.size[1] // 4:
        return False
    left, top, right, bottom = box
    most = min(FARTHEST, (bottom - top) // 2)
    unmoved = _distance(one, other, box, 0)
    best = min(
        _distance(one, other, (left, top, right, bottom), by) for by in range(-most, most + 1) if by
    )
    return best < SHRUNK * unmoved


def _distance(
    one: Image.Image, other: Image.Image, box: tuple[int, int, int, int], by: int
) -> float:
    """Mean difference within the box where both pictures have something, `other` lying `by` lower."""
    left, top, right, bottom = box
    first = one.crop((left, top + max(0, -by), right, bottom - max(0, by)))
    second = other.crop((left, top + max(0, by), right, bottom - max(0, -by)))
    histogram = ImageChops.difference(first, second).histogram()
    pixels = first.size[0] * first.size[1]
    return sum(value * count for value, count in enumerate(histogram)) / max(1, pixels)


def runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers together: (first, last)."""
    if not numbers:
        return
    first = numbers[0]
    for one, other in pairwise([*numbers, numbers[-1] + 2]):
        if other != one + 1:
            yield first, one
            first = other
