"""One recording from source to published media: inspect, plan, freeze, encode, publish.

Works on whatever owner its ledger stands for, on whatever engine. Holds no state of its own: whatever
was frozen and recorded is found again by the next attempt, which encodes only what is missing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from academy.errors import Conflict
from academy.jobs import Progress
from academy.media import INIT, Chunk, MediaPlan, Publication, Receipt, media_prefix
from academy.object_stores import ObjectStore
from academy.recordings import Inspection
from academy.tracing import span
from transcoding import anchor, profiles
from transcoding.anchor import Anchor
from transcoding.binary import FFmpeg
from transcoding.chunks import joined, missing_runs, plan_chunks, plan_stretches
from transcoding.endings import Ending, ending_of, with_damage
from transcoding.engine import Engine
from transcoding.ffmpeg import EncodingFailed
from transcoding.findings import with_measured
from transcoding.items import AUDIO_SHARE, Item, Meter, longest_first, viewers_order
from transcoding.ledger import Frozen, Ledger
from transcoding.passes import in_passes
from transcoding.planning import Planner, in_thread, inspected
from transcoding.profiles import Profile
from transcoding.publish import Publisher
from transcoding.schedule import Schedule
from transcoding.tasks import Task, TaskKind
from transcoding.urgency import priority

T = TypeVar("T")


class EncoderChanged(EncodingFailed):
    """ffmpeg was replaced while this recording was being transcoded: start its transcoding anew."""

    code = "encoder_changed"


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
    rank: Callable[[], int] = lambda: 0
    """How many older recordings of the same instructor are in work now."""
    watched: bool = True
    """Somebody may press play before the end: worth a second pass for rungs that would keep them waiting."""


async def transcode(
    assignment: Assignment,
    *,
    engine: Engine,
    storage: ObjectStore,
    ledger: Ledger,
    ffmpeg: FFmpeg | asyncio.Future[FFmpeg],
    profile: Profile | None = None,
) -> Publication:
    """Publishes what can be watched first as soon as it is whole, then the whole ladder.

    Returns what is published last; that the job is done is the owner's to say. `ffmpeg` may still be
    looked for: the inspection needs none.

    Raises RejectedMedia, EncodingFailed (its `kind` decides the retry), Transient, Unavailable,
    LeaseLost. Cancelling the coroutine ends its tasks and their ffmpeg within 2 s.
    """
    await ledger.progress(Progress(stage="inspecting"))
    with span("inspect"):
        inspection = await inspected(storage, assignment.source_key, assignment.filename)
    await ledger.inspected(inspection)
    if not isinstance(ffmpeg, FFmpeg):
        ffmpeg = await ffmpeg
    planner = Planner(storage, assignment.source_key, ffmpeg)
    frozen = await ledger.frozen()
    if frozen is None:
        await ledger.progress(Progress(stage="planning"))
        with span("plan"):
            plan = await planner.plan(inspection, profile or profiles.load())
        slots = await engine.slots()
        chunks = plan_chunks(plan.grid, slots=slots, watched=assignment.watched)
        plan = plan.model_copy(update={"chunks": chunks})
        if assignment.watched:
            plan = in_passes(plan, slots)
        frozen = await ledger.freeze(plan)
    if frozen.plan.encoder != ffmpeg.fingerprint:
        raise EncoderChanged
    inspection = inspection.model_copy(update={"explanation": frozen.plan.explanation})
    inspection = with_measured(inspection, frozen.plan)
    await ledger.inspected(inspection)
    sound = await planner.anchor(inspection)
    encoding = _Encoding(assignment, engine, ledger, ffmpeg, inspection, frozen, sound)
    receipts = await encoding.run(late=False)
    texts = await planner.subtitles(inspection, assignment.language)
    publisher = Publisher(storage, assignment.prefix(frozen.media_id), texts)
    if frozen.plan.later:
        # The encoders go on while pictures and chapters are made here.
        first = encoding.publish(publisher, encoding.plan.at_first, receipts)
        receipts = await beside(first, encoding.run(late=True))
    await ledger.progress(Progress(stage="publishing", fraction=1.0))
    return await encoding.publish(publisher, encoding.plan, receipts)


async def beside(aside: Coroutine[Any, Any, object], main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, once both are done. The first failure ends the other and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(aside)
            leading = group.create_task(main)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return leading.result()


class _Encoding:
    """From the frozen plan to all its receipts."""

    def __init__(
        self,
        assignment: Assignment,
        engine: Engine,
        ledger: Ledger,
        ffmpeg: FFmpeg,
        inspection: Inspection,
        frozen: Frozen,
        sound: Anchor | None,
    ) -> None:
        self._assignment = assignment
        self._engine = engine
        self._ledger = ledger
        self._ffmpeg = ffmpeg
        self._inspection = inspection
        self._media_id = frozen.media_id
        self.plan = frozen.plan
        """As frozen; shorter in the end where the source was."""
        self._anchor = sound
        self._late = False
        self._executions: dict[tuple[TaskKind, int], int] = defaultdict(int)

    async def run(self, *, late: bool) -> Sequence[Receipt]:
        """One pass: everything that grows, or the rungs that come later."""
        self._late = late
        receipts = await self._ledger.receipts(self._media_id)
        items = self._missing(receipts)
        with span("encode", {"academy.late": late, "academy.chunks": len(items)}):
            await self._encode(items, receipts)
        ending = ending_of(self.plan, self._inspection, items)
        await self._tell(with_damage(ending.inspection, items))
        if ending.short:
            await self._fill(ending)
        receipts = await self._ledger.receipts(self._media_id)
        return [r for r in receipts if r.number < self.plan.grid.segment_count]

    async def publish(
        self, publisher: Publisher, plan: MediaPlan, receipts: Sequence[Receipt]
    ) -> Publication:
        """What `plan` has, as the media's next revision; what is published already, as it is."""
        while True:
            current = await self._ledger.publication(self._media_id)
            if current is not None and {r.id for r in current.renditions} >= set(plan.tracks):
                return current
            with span("publish", {"academy.renditions": len(plan.tracks)}):
                publication = await self._written(publisher, plan, receipts, current)
            try:
                await self._ledger.publish(publication)
            except Conflict:
                # Captions came in between: once more, with them.
                continue
            return publication

    async def _written(
        self,
        publisher: Publisher,
        plan: MediaPlan,
        receipts: Sequence[Receipt],
        current: Publication | None,
    ) -> Publication:
        language = self._assignment.language
        return await in_thread(
            lambda cancelled: publisher.publish(
                plan, receipts, current, language=language, cancelled=cancelled
            )
        )

    async def _fill(self, ending: Ending) -> None:
        """The source ended early: the plan shrinks, or the last picture is held and silence added."""
        receipts = await self._ledger.receipts(self._media_id)
        self.plan = ending.plan(receipts)
        items = self._missing(receipts)
        for item in items:
            item.hold_from = ending.hold_from(item)
        await self._encode(items, receipts)
        ending.refuse_still_short(items)

    async def _tell(self, inspection: Inspection) -> None:
        if inspection != self._inspection:
            self._inspection = inspection
            await self._ledger.inspected(inspection)

    def _missing(self, receipts: Sequence[Receipt]) -> list[Item]:
        """Chunks and stretches of this pass of which something has no receipt yet."""
        done = {(receipt.track, receipt.number) for receipt in receipts}
        rungs = tuple(r.id for r in self.plan.video if (r.id in self.plan.later) == self._late)
        chunks = joined(self.plan.chunks) if self._late else self.plan.chunks
        items = [
            Item(TaskKind.VIDEO, chunk, rungs=rungs, share=self._share(rungs))
            for chunk in self._within(chunks)
            if rungs and any(missing_runs(chunk, rungs, done))
        ]
        if self.plan.audio is not None and not self._late:
            # Without an anchor a coarse clock allows no seeking: one stretch, released as it comes.
            whole = self._anchor is None and anchor.needed(self._inspection)
            items += [
                Item(TaskKind.AUDIO, stretch, share=AUDIO_SHARE)
                for stretch in plan_stretches(self.plan.grid, whole=whole)
                if any(missing_runs(stretch, [self.plan.audio.id], done))
            ]
        return items

    def _share(self, rungs: Collection[str]) -> float:
        """Of the work on the whole ladder, judged by pixels."""
        pixels = {rung.id: rung.width * rung.height for rung in self.plan.video}
        return sum(pixels[each] for each in rungs) / sum(pixels.values())

    def _within(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Chunks of the grid as it is now, which may end sooner than planned."""
        end = self.plan.grid.segment_count
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
                self._urgency,
                viewers_order if self._assignment.watched else longest_first,
            )
            await schedule.run(items)

    def _urgency(self, item: Item) -> int:
        return priority(
            float(self.plan.grid.start(item.chunk.first_segment)),
            duration=float(self.plan.grid.duration),
            late=self._late,
            rank=self._assignment.rank(),
        )

    def _meter(self, receipts: Sequence[Receipt]) -> Meter:
        """All the work there is, and what earlier attempts did of it."""
        grid, audio = self.plan.grid, self.plan.audio
        seconds = float(grid.duration) / grid.segment_count
        shares = {rung.id: self._share([rung.id]) for rung in self.plan.video}
        if audio is not None:
            shares[audio.id] = AUDIO_SHARE
        before = sum(shares.get(r.track, 0.0) for r in receipts if r.number != INIT)
        return Meter(
            total=float(grid.duration) * sum(shares.values()),
            segment_seconds=seconds,
            before=before * seconds,
            leading=TaskKind.VIDEO if self.plan.video else TaskKind.AUDIO,
        )

    def _task(self, item: Item) -> Task:
        key = (item.kind, item.chunk.index)
        execution = self._executions[key]
        self._executions[key] += 1
        return Task(
            kind=item.kind,
            media_id=self._media_id,
            workspace=dict(self._assignment.workspace(self._media_id)),
            source_key=self._assignment.source_key,
            plan=self.plan,
            inspection=self._inspection,
            chunk=item.chunk,
            rungs=item.rungs,
            attempt=self._assignment.attempt,
            execution=execution,
            hold_from=item.hold_from,
            anchor=self._anchor,
            ffmpeg=self._ffmpeg.path if self._engine.local else None,
        )
