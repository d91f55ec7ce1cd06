"""One recording from source to published media: inspect, plan, freeze, encode, publish.

Works on whatever owner its ledger stands for, on whatever engine. Holds no state of its own: whatever
was frozen and recorded is found again by the next attempt, which encodes only what is missing.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from academy.jobs import Progress
from academy.media import (
    INIT,
    AudioRendition,
    Chunk,
    MediaPlan,
    Publication,
    Receipt,
    media_prefix,
)
from academy.playlists import Manifests, final_manifests
from academy.recordings import Inspection
from academy.stores import ObjectStore
from transcoding import loudness, profiles
from transcoding.binary import FFmpeg
from transcoding.chunks import missing_runs, plan_chunks, plan_stretches
from transcoding.delivery import CACHE_CONTROL
from transcoding.endings import Ending, ending_of
from transcoding.engine import Engine
from transcoding.ladder import audio_rendition, grid_for, video_renditions
from transcoding.ledger import Frozen, Ledger
from transcoding.probe import inspect
from transcoding.profiles import Profile
from transcoding.schedule import AUDIO_SHARE, Item, Meter, Schedule
from transcoding.sources import open_source
from transcoding.tasks import Task, TaskKind

REVISION: Final = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be transcoded, and for whom."""

    source_key: str
    filename: str
    """As the instructor calls it, for sentences."""
    attempt: int
    """Names what this attempt writes."""
    workspace: Callable[[str], Mapping[str, str]]
    """From the media's id to what tasks are told of where to read, write and report."""
    prefix: Callable[[str], str] = media_prefix
    """From the media's id to where its objects lie."""
    language: str | None = None
    """Of the sound (BCP 47)."""


async def transcode(
    assignment: Assignment,
    *,
    engine: Engine,
    storage: ObjectStore,
    ledger: Ledger,
    ffmpeg: FFmpeg,
    profile: Profile | None = None,
) -> Publication:
    """Ends with everything stored but nothing flipped: that is the owner's.

    Raises RejectedMedia, EncodingFailed (its `kind` decides the retry), Transient, Unavailable,
    LeaseLost. Cancelling the coroutine ends its tasks and their ffmpeg within 2 s.
    """
    profile = profile or profiles.load()
    await ledger.progress(Progress(stage="inspecting"))
    inspection = await _inspected(assignment, storage)
    await ledger.inspected(inspection)
    await ledger.progress(Progress(stage="planning"))
    plan = await _planned(assignment, storage, inspection, profile, ffmpeg)
    frozen = await ledger.freeze(plan)
    job = _Job(assignment, engine, storage, ledger, ffmpeg, inspection, frozen)
    return await job.run()


async def _inspected(assignment: Assignment, storage: ObjectStore) -> Inspection:
    def work(cancelled: Callable[[], bool]) -> Inspection:
        with open_source(storage, assignment.source_key) as source:
            return inspect(source, filename=assignment.filename, cancelled=cancelled)

    return await _in_thread(work)


async def _planned(
    assignment: Assignment,
    storage: ObjectStore,
    inspection: Inspection,
    profile: Profile,
    ffmpeg: FFmpeg,
) -> MediaPlan:
    grid = grid_for(inspection, profile)
    rate = grid.frame_rate.fraction
    video = inspection.video
    return MediaPlan(
        grid=grid,
        video=video_renditions(video, profile, rate) if video else [],
        audio=await _sound(assignment, storage, inspection, profile, ffmpeg),
        chunks=plan_chunks(grid),
        encoder=ffmpeg.fingerprint,
        profile=profile.name,
    )


async def _sound(
    assignment: Assignment,
    storage: ObjectStore,
    inspection: Inspection,
    profile: Profile,
    ffmpeg: FFmpeg,
) -> AudioRendition | None:
    audio = inspection.audio
    if audio is None:
        return None
    rendition = audio_rendition(audio, profile.audio)

    def work(cancelled: Callable[[], bool]) -> float | None:
        with open_source(storage, assignment.source_key) as source:
            return loudness.measure(
                ffmpeg.path,
                source,
                audio,
                inspection.duration,
                channels=rendition.channels,
                cancelled=cancelled,
            )

    gain = loudness.gain_towards(await _in_thread(work), profile.audio.loudness)
    return rendition.model_copy(update={"gain_db": gain})


class _Job:
    """From the frozen plan on."""

    def __init__(
        self,
        assignment: Assignment,
        engine: Engine,
        storage: ObjectStore,
        ledger: Ledger,
        ffmpeg: FFmpeg,
        inspection: Inspection,
        frozen: Frozen,
    ) -> None:
        self._assignment = assignment
        self._engine = engine
        self._storage = storage
        self._ledger = ledger
        self._ffmpeg = ffmpeg
        self._inspection = inspection
        self._media_id = frozen.media_id
        self._plan = frozen.plan
        self._prefix = assignment.prefix(frozen.media_id)
        self._executions: dict[tuple[TaskKind, int], int] = defaultdict(int)

    async def run(self) -> Publication:
        receipts = await self._ledger.receipts(self._media_id)
        items = self._missing(receipts)
        await self._encode(items, receipts)
        ending = ending_of(self._plan, self._inspection, items)
        if ending.short:
            receipts = await self._fill(ending)
        else:
            receipts = await self._ledger.receipts(self._media_id)
        await self._ledger.progress(Progress(stage="publishing", fraction=1.0))
        return await self._publish(receipts)

    async def _fill(self, ending: Ending) -> Sequence[Receipt]:
        """The source ended early: the plan shrinks or the last picture is held, silence added."""
        receipts = await self._ledger.receipts(self._media_id)
        self._plan = ending.plan(receipts)
        if ending.inspection is not self._inspection:
            self._inspection = ending.inspection
            await self._ledger.inspected(self._inspection)
        items = self._missing(receipts)
        for item in items:
            item.hold_from = ending.hold_from(item)
        await self._encode(items, receipts)
        ending.refuse_still_short(items)
        receipts = await self._ledger.receipts(self._media_id)
        return [r for r in receipts if r.number < self._plan.grid.segment_count]

    def _missing(self, receipts: Sequence[Receipt]) -> list[Item]:
        """Chunks and stretches of which something has no receipt yet."""
        done = {(receipt.track, receipt.number) for receipt in receipts}
        rungs = [rung.id for rung in self._plan.video]
        items = [
            Item(TaskKind.VIDEO, chunk)
            for chunk in self._within(self._plan.chunks)
            if rungs and any(missing_runs(chunk, rungs, done))
        ]
        if self._plan.audio is not None:
            track = [self._plan.audio.id]
            items += [
                Item(TaskKind.AUDIO, stretch)
                for stretch in plan_stretches(self._plan.grid)
                if any(missing_runs(stretch, track, done))
            ]
        return items

    def _within(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Chunks of the grid as it is now, which may end sooner than planned."""
        end = self._plan.grid.segment_count
        return [
            chunk.model_copy(update={"segments": min(chunk.segments, end - chunk.first_segment)})
            for chunk in chunks
            if chunk.first_segment < end
        ]

    async def _encode(self, items: Sequence[Item], receipts: Sequence[Receipt]) -> None:
        if items:
            schedule = Schedule(
                self._engine,
                self._media_id,
                self._task,
                self._meter(receipts),
                self._ledger.progress,
            )
            await schedule.run(items)

    def _meter(self, receipts: Sequence[Receipt]) -> Meter:
        plan = self._plan
        length = float(plan.grid.duration)
        seconds = length / plan.grid.segment_count
        video = (1.0 if plan.video else 0.0, {rung.id for rung in plan.video[:1]})
        audio = (AUDIO_SHARE if plan.audio else 0.0, {plan.audio.id} if plan.audio else set[str]())
        before = sum(
            share * seconds
            for share, tracks in (video, audio)
            for receipt in receipts
            if receipt.number != INIT and receipt.track in tracks
        )
        return Meter(total=length * (video[0] + audio[0]), segment_seconds=seconds, before=before)

    def _task(self, item: Item) -> Task:
        key = (item.kind, item.chunk.index)
        execution = self._executions[key]
        self._executions[key] += 1
        return Task(
            kind=item.kind,
            media_id=self._media_id,
            workspace=dict(self._assignment.workspace(self._media_id)),
            source_key=self._assignment.source_key,
            plan=self._plan,
            inspection=self._inspection,
            chunk=item.chunk,
            attempt=self._assignment.attempt,
            execution=execution,
            hold_from=item.hold_from,
            ffmpeg=self._ffmpeg.path if self._engine.local else None,
        )

    async def _publish(self, receipts: Sequence[Receipt]) -> Publication:
        manifests = await asyncio.to_thread(
            final_manifests,
            self._plan,
            receipts,
            revision=REVISION,
            language=self._assignment.language,
        )
        await asyncio.to_thread(self._store, manifests)
        return Publication(
            revision=REVISION,
            hls=manifests.hls,
            dash=manifests.dash,
            duration=manifests.duration,
            renditions=manifests.renditions,
        )

    def _store(self, manifests: Manifests) -> None:
        for name, text in manifests.files.items():
            self._storage.put(
                self._prefix + name,
                text.encode(),
                content_type=manifests.content_type(name),
                cache_control=CACHE_CONTROL,
            )


async def _in_thread(work: Callable[[Callable[[], bool]], T]) -> T:
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
