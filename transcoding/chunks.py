"""How the segment grid is cut into tasks. Pure.

Chunks are whole segments, small where a viewer waits and long where nobody does: short chunks cost
10 % more CPU (seeks, encoder lookahead), so they grow. Audio stretches follow the same rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

from academy.media import Chunk, Grid

FIRST_CHUNKS = (1, 1)
"""Segments of the first chunks: two run in parallel, so that 8 s are playable soonest. The next ones
double, and are never waited for: see `tests/properties/test_no_stall.py`."""
UNWATCHED_LEAST = 2
"""Segments of a chunk at least, where nobody waits: each chunk costs a start and a seek, as much as a
quarter of a segment."""
FEW = 8
"""Encoders of which one that straggles is not missed."""
LONGEST_CHUNK = Fraction(64)
LONGEST_UNWATCHED = Fraction(240)
"""Seconds. With these, a share of `LONGEST_CHUNK` or less is not cut below its half: encoders that start together
and have as much to do end together, and more chunks would cost more than they even out."""
LONGEST_STRETCH = Fraction(600)
"""Seconds. Audio costs little: the first stretch is ready before the first picture."""


def plan_chunks(
    grid: Grid, *, slots: int = 1, watched: bool = True, longest: Fraction | None = None
) -> list[Chunk]:
    """Chunks of 1, 1, 2, 4, 8 … segments up to about `longest` seconds, in the viewer's order; of the
    longest from the start where nobody watches.

    Towards the end none is longer than what is left for each of `slots` encoders (guided self-scheduling,
    Polychronopoulos and Kuck 1987), so that they end together. Where there are many, half of that, so that
    one that straggles costs little: simulated, 128 encoders are 80 % efficient with it, and 52 % without.
    """
    if watched:
        return _grow(grid, FIRST_CHUNKS, longest or LONGEST_CHUNK, slots=slots)
    return _grow(grid, (), longest or LONGEST_UNWATCHED, slots=slots)


def plan_stretches(
    grid: Grid, *, whole: bool = False, longest: Fraction = LONGEST_STRETCH
) -> list[Chunk]:
    """Of the audio track: 2, 16, 32, 64 … segments, or all in one. Follows from what the plan holds."""
    if whole:
        return [Chunk(index=0, first_segment=0, segments=grid.segment_count)]
    return _grow(grid, (2, 16), longest)


def joined(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The short chunks at the start as one: for a second pass, which nobody waits for."""
    longest = max((chunk.segments for chunk in chunks), default=0)
    full = next((n for n, chunk in enumerate(chunks) if chunk.segments == longest), 0)
    found: list[Chunk] = []
    for chunk in chunks[:full]:
        last = found[-1] if found else None
        if last is not None and last.segments + chunk.segments <= longest:
            joint = {"segments": last.segments + chunk.segments}
            found[-1] = last.model_copy(update=joint)
        else:
            found.append(chunk)
    return [*found, *chunks[full:]]


def _grow(grid: Grid, first: tuple[int, ...], longest: Fraction, *, slots: int = 1) -> list[Chunk]:
    total = grid.segment_count
    most = max(1, int(longest * grid.frame_rate.fraction / grid.segment_frames))
    chunks: list[Chunk] = []
    brief = total * grid.segment_frames <= LONGEST_CHUNK * slots * grid.frame_rate.fraction
    half = total // (2 * slots) if brief else 0
    start, size = 0, 1
    while start < total:
        index, left = len(chunks), total - start
        grown = first[index] if index < len(first) else 2 * size
        size = min(grown, most) if first else most
        if slots > 1:
            share = left // slots
            least = 1 if first else max(UNWATCHED_LEAST, half)
            size = min(size, max(least, share if slots <= FEW else max(min(2, share), share // 2)))
        # A short rest joins its predecessor: a chunk of its own would cost a seek and a start.
        spare = max(size // 4, 0 if first else 1)
        count = left if left <= size + spare else size
        chunks.append(Chunk(index=index, first_segment=start, segments=count))
        start += count
    return chunks


def missing_runs(
    chunk: Chunk, tracks: Collection[str], done: Collection[tuple[str, int]]
) -> Iterator[tuple[int, int]]:
    """What of a chunk is still to be encoded: (first segment, segments) without a gap.

    A segment is there when every one of `tracks` has it in `done`, pairs of track and number.
    """
    start: int | None = None
    end = chunk.first_segment + chunk.segments
    for number in range(chunk.first_segment, end):
        whole = all((track, number) in done for track in tracks)
        if whole and start is not None:
            yield start, number - start
            start = None
        elif not whole and start is None:
            start = number
    if start is not None:
        yield start, end - start
