"""HLS playlists of a media while it grows, rendered from the plan and the receipts.

They follow RFC 8216bis 6.2.1 for EVENT playlists: lines are only added, and at the end an ENDLIST
follows what was there. One snapshot per media serves every viewer for about a second, so a
thousand of them cost the database what one does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from academy.errors import Gone, NotFound
from academy.jobs import JobState
from academy.media import INIT, Available, Media, Receipt, available
from academy.playlists import media_playlist, multivariant
from academy.stores import Stores

LIFETIME: Final = 1.0
"""Seconds for which a snapshot is shared."""
FORGET_AFTER: Final = 60.0
"""Seconds after the last viewer's question."""
MAIN: Final = "main.m3u8"
SUFFIX: Final = ".m3u8"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One media as of one moment."""

    media: Media
    receipts: Sequence[Receipt]
    available: Available
    ended: JobState | None
    language: str

    def playlist(self, name: str, base: str) -> str:
        """`main.m3u8` or a track's. Segment addresses are absolute, below `base`.

        Gone when the work failed or was cancelled; NotFound for another name, or too early.
        """
        plan = self.media.plan.at_first
        if self.media.publication is None and self.ended in {JobState.FAILED, JobState.CANCELLED}:
            raise Gone("The transcoding of this recording ended without a result.")
        if name == MAIN:
            if not self.available.duration:
                raise NotFound("Nothing can be played yet: ask again in a few seconds.")
            return multivariant(plan, self.receipts, uri=str, final=False, language=self.language)
        track = name.removesuffix(SUFFIX)
        if track not in plan.tracks:
            raise NotFound
        text = media_playlist(
            plan, track, self.receipts, uri=lambda segment: f"{base}/{segment}", final=False
        )
        return text + "#EXT-X-ENDLIST\n" if self._whole(track) else text

    def _whole(self, track: str) -> bool:
        """Also a recording that turned out shorter than planned ends, with the work."""
        if self.media.publication is not None or self.ended is JobState.SUCCEEDED:
            return True
        return self.available.segments[track] >= self.media.plan.grid.segment_count


@dataclass(slots=True)
class _Known:
    """Receipts of one media that need not be read again: each track's run from 0 without a gap."""

    receipts: list[Receipt] = field(default_factory=list)
    run: dict[str, int] = field(default_factory=dict)
    used: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    reading: asyncio.Task[Snapshot]
    rendering: dict[tuple[str, str], asyncio.Task[str]] = field(default_factory=dict)


class GrowingMedia:
    """Snapshots and playlists by media id. One read and one rendering per lifetime, however many ask."""

    def __init__(self, stores: Stores, clock: Callable[[], float] = time.monotonic) -> None:
        self._stores = stores
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._read_before: dict[str, _Known] = {}

    async def snapshot(self, media_id: str) -> Snapshot:
        """NotFound for an unknown media or one whose lecture is gone."""
        # Shielded: a viewer who hangs up must not end the read that others wait for.
        return await asyncio.shield(self._current(media_id).reading)

    async def playlist(self, media_id: str, name: str, base: str) -> str:
        """As `Snapshot.playlist`."""
        kept = self._current(media_id)
        if (name, base) not in kept.rendering:
            kept.rendering[name, base] = asyncio.create_task(_render(kept.reading, name, base))
        return await asyncio.shield(kept.rendering[name, base])

    def _current(self, media_id: str) -> _Kept:
        now = self._clock()
        for other, kept in list(self._kept.items()):
            if kept.until <= now and kept.reading.done():
                del self._kept[other]
        if media_id not in self._kept:
            reading = asyncio.create_task(self._read(media_id))
            self._kept[media_id] = _Kept(now + LIFETIME, reading)
        return self._kept[media_id]

    async def _read(self, media_id: str) -> Snapshot:
        media = await self._stores.media.get(media_id)
        # The job before the receipts: a job seen ended has recorded all it ever will.
        job = await self._stores.jobs.get(media.job_id)
        lecture = await self._stores.courses.lecture(media.lecture_id)
        receipts = await self._receipts(media)
        return Snapshot(
            media=media,
            receipts=receipts,
            available=available(media.plan.at_first, receipts),
            ended=None if job.active else job.state,
            language=lecture.language,
        )

    async def _receipts(self, media: Media) -> Sequence[Receipt]:
        """Reads only what lies behind the run without a gap that was read before: two hours of four
        tracks are 7,000 receipts, of which a second brings a handful.
        """
        now = self._clock()
        for other, known in list(self._read_before.items()):
            if known.used + FORGET_AFTER < now:
                del self._read_before[other]
        known = self._read_before.setdefault(media.id, _Known())
        known.used = now
        tracks = media.plan.at_first.tracks
        since = {track: known.run.get(track, INIT) for track in tracks}
        fresh = await self._stores.media.receipts(media.id, since=since)
        receipts = [*known.receipts, *fresh]
        runs = available(media.plan.at_first, receipts).segments
        known.receipts = [r for r in receipts if runs[r.track] and r.number < runs[r.track]]
        known.run = {track: run for track, run in runs.items() if run}
        return receipts


async def _render(reading: asyncio.Task[Snapshot], name: str, base: str) -> str:
    """In a thread: two hours of segments take 20 to 70 ms."""
    snapshot = await asyncio.shield(reading)
    return await asyncio.to_thread(snapshot.playlist, name, base)
