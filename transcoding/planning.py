"""From a source to its inspection and its plan: what the pipeline does before anything is frozen.

Blocking work in threads, ended when the coroutine is cancelled. Costs about a second, whatever the
recording's length.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from academy.media import AudioRendition, MediaPlan
from academy.object_stores import ObjectStore
from academy.recordings import Inspection
from transcoding import anchor, loudness, sampling, subtitles
from transcoding.anchor import Anchor
from transcoding.binary import FFmpeg
from transcoding.chunks import plan_chunks
from transcoding.complexity import Content
from transcoding.ladder import audio_rendition, grid_for, video_renditions
from transcoding.probe import inspect
from transcoding.profiles import Profile
from transcoding.reasons import reasons
from transcoding.sources import Source, open_source
from transcoding.splicing import near
from transcoding.subtitles import Extracted

T = TypeVar("T")
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Planner:
    """Looks at one source. All methods raise RejectedMedia, EncodingFailed, Unavailable."""

    storage: ObjectStore
    source_key: str
    ffmpeg: FFmpeg

    async def plan(self, inspection: Inspection, profile: Profile) -> MediaPlan:
        if not self.ffmpeg.has("encoders", "libsvtav1"):
            profile = profile.without_av1
        # Side by side: both mostly wait for a few bytes of the recording here and there.
        content, audio = await asyncio.gather(
            self._content(inspection, profile), self._sound(inspection, profile)
        )
        grid = grid_for(inspection, profile, content)
        video, rate = inspection.video, grid.frame_rate.fraction
        rungs = video_renditions(video, profile, rate, content) if video else []
        return MediaPlan(
            grid=grid,
            video=rungs,
            audio=audio,
            explanation=list(reasons(video, profile, rate, content, rungs)) if video else [],
            chunks=plan_chunks(grid),
            encoder=self.ffmpeg.fingerprint,
            profile=profile.name,
        )

    async def _content(self, inspection: Inspection, profile: Profile) -> Content | None:
        """What samples of the picture tell; None where the profile wants none."""
        if inspection.video is None or not profile.sampling:
            return None
        sizes = [rung.size for rung in profile.video]
        return await self._on_source(
            lambda source, cancelled: sampling.look(
                self.ffmpeg.path, source, inspection, sizes, cancelled=cancelled
            )
        )

    async def _sound(self, inspection: Inspection, profile: Profile) -> AudioRendition | None:
        audio = inspection.audio
        if audio is None:
            return None
        rendition = audio_rendition(audio, profile.audio)
        measured = await self._on_source(
            lambda source, cancelled: loudness.measure(
                source,
                audio,
                inspection,
                channels=rendition.channels,
                cancelled=cancelled,
            )
        )
        if measured is None:
            return rendition
        gain = loudness.gain_towards(measured.loudness, profile.audio.loudness)
        return rendition.model_copy(
            update={
                "gain_db": gain,
                "silent": measured.loudness is None,
                "only_side": measured.only_side,
                "loudness": measured.loudness,
                "clipped": measured.clipped,
                "drop_outs": len(measured.drop_outs),
                "drop_out_at": next(iter(measured.drop_outs), None),
            }
        )

    async def anchor(self, inspection: Inspection) -> Anchor | None:
        """Not part of the plan: it follows from the source, whatever was frozen."""
        audio = inspection.audio
        if audio is None or not anchor.needed(inspection):
            return None
        return await self._on_source(
            lambda source, cancelled: anchor.measure(
                self.ffmpeg.path, _begun(source, inspection), audio, cancelled=cancelled
            )
        )

    async def subtitles(self, inspection: Inspection, language: str | None) -> list[Extracted]:
        """Reads some containers from end to end: nobody may wait for it."""
        streams = inspection.subtitles
        if not streams:
            return []
        return await self._on_source(
            lambda source, cancelled: subtitles.extract(
                self.ffmpeg.path,
                _begun(source, inspection),
                streams,
                language=language,
                cancelled=cancelled,
            )
        )

    async def _on_source(self, work: Callable[[Source, Cancelled], T]) -> T:
        return await _with_source(self.storage, self.source_key, work)


async def inspected(storage: ObjectStore, source_key: str, filename: str) -> Inspection:
    """As `probe.inspect`, in a thread: what anybody wants to know first, and without ffmpeg."""
    return await _with_source(
        storage,
        source_key,
        lambda source, cancelled: inspect(source, filename=filename, cancelled=cancelled),
    )


async def _with_source(
    storage: ObjectStore, source_key: str, work: Callable[[Source, Cancelled], T]
) -> T:
    def opened(cancelled: Cancelled) -> T:
        with open_source(storage, source_key) as source:
            return work(source, cancelled)

    return await in_thread(opened)


def _begun(source: Source, inspection: Inspection) -> Source:
    """To be read from its beginning on, without a search for an index that is not there."""
    return near(source, inspection, Fraction(0), picture=False)


async def in_thread(work: Callable[[Cancelled], T]) -> T:
    """`work(cancelled)` in a thread; cancelling the coroutine makes `cancelled()` true and waits."""
    unwanted = threading.Event()
    running: asyncio.Future[T] = asyncio.ensure_future(asyncio.to_thread(work, unwanted.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        unwanted.set()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise
