"""Encodes one stretch of the audio track into segments cut by access units to the video's grid.

Decode, resample, one static gain, limiter, AAC; the units of the pre-roll are thrown away, so that
stretches join with exact sample counts. Segments are uploaded and recorded as they come.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any, Final

from academy.errors import Transient
from academy.media import AUDIO_RATE, INIT, UNIT_SAMPLES, AudioRendition, Receipt
from transcoding import ffmpeg
from transcoding.adts import AdtsReader
from transcoding.announcements import Announcer
from transcoding.audio_command import POSTROLL_UNITS, Stretch, audio_command, silence_command
from transcoding.binary import FFmpeg
from transcoding.chunks import missing_runs
from transcoding.delivery import Delivery, Parcel
from transcoding.encode import MAKE_UP, MOST_MEMORY, SLOWEST, added, label
from transcoding.mp4_audio import AAC_LC, init_segment, segment
from transcoding.sources import Source, open_source
from transcoding.splicing import near
from transcoding.tasks import Outcome, Result, Task, local_ffmpeg, reported
from transcoding.wanted import Wanted
from transcoding.workspaces import open_workspace

AUDIO_TYPE: Final = "audio/mp4"
SILENT_UNITS: Final = 16
"""Encoded when silence is needed: from the middle ones on, one is like the other."""


def encode_audio(task: dict[str, Any]) -> dict[str, Any]:
    """The Dask task: a `Task` in, a `Result` out, both as plain data."""
    return reported(encode, task)


def encode(task: Task) -> Result:
    """What of the stretch has no receipts yet. Raises Cancelled, LeaseLost, EncodingFailed, …"""
    rendition = task.plan.audio
    assert rendition is not None  # noqa: S101 - the pipeline sends none without
    announcer = Announcer(task)
    announcer.began()
    workspace = open_workspace(task.workspace)
    program = local_ffmpeg(task)
    done = {(receipt.track, receipt.number) for receipt in workspace.journal.receipts()}
    wanted = Wanted(workspace.journal)
    total = Result(outcome=Outcome.DONE)
    with (
        open_source(workspace.storage, task.source_key) as source,
        Delivery(workspace, cancelled=wanted.cancelled, on_recorded=announcer.recorded) as delivery,
    ):
        for first, segments in missing_runs(task.chunk, [rendition.id], done):
            run = _Run(
                task,
                Stretch(task.plan.grid, first, segments),
                rendition,
                delivery,
                label(task, first, segments),
                init=(rendition.id, INIT) not in done,
            )
            result = run.encode(program, source, wanted)
            total = added(total, result)
            if result.outcome is not Outcome.DONE:
                break
    return total


class _Run:
    def __init__(
        self,
        task: Task,
        stretch: Stretch,
        rendition: AudioRendition,
        delivery: Delivery,
        label: str,
        *,
        init: bool,
    ) -> None:
        self._task = task
        self._stretch = stretch
        self._rendition = rendition
        self._delivery = delivery
        self._label = label
        self._next = stretch.first
        self._reader = AdtsReader()
        self._skip = stretch.preroll
        self._made = 0
        """Units of the encoder, those skipped included."""
        self._units: list[bytes] = []
        self._init = init

    def encode(self, program: FFmpeg, source: Source, wanted: Wanted) -> Result:
        audio = self._task.inspection.audio
        assert audio is not None  # noqa: S101 - a plan with sound comes from sound
        ended = ffmpeg.run(
            audio_command(
                program.path,
                near(source, self._task.inspection, self._begin, picture=False),
                audio,
                self._stretch,
                self._rendition,
                anchor=self._task.anchor,
                pad_samples=self._pad,
            ),
            limits=self._limits(),
            cancelled=wanted.cancelled,
            on_stdout=self._take,
            on_tick=self._delivery.check,
        )
        if trouble := source.trouble():
            raise Transient(trouble)
        if not wanted:
            raise ffmpeg.Cancelled
        if self._task.hold_from is not None and not self._complete:
            self._fill(program, wanted)
        result = Result(
            outcome=Outcome.DONE,
            segments=self._next - self._stretch.first,
            cpu_seconds=ended.cpu_seconds,
            complaints=ended.complaints,
            detail=ended.tail[-1000:],
        )
        if not self._complete:
            return result.model_copy(
                update={"outcome": Outcome.SHORT, "ends_at": float(self._source_end())}
            )
        return result

    @property
    def _begin(self) -> Fraction:
        return Fraction(self._stretch.first_sample, AUDIO_RATE)

    @property
    def _complete(self) -> bool:
        return self._next == self._stretch.first + self._stretch.segments

    @property
    def _pad(self) -> int:
        """Samples of silence that may follow the source. A little even before the end of the track: the
        encoder must see the end of the sound as the next stretch's will, or their windows do not fit.
        """
        if self._task.end < self._task.plan.grid.segment_count:
            return POSTROLL_UNITS * UNIT_SAMPLES
        return int(MAKE_UP * AUDIO_RATE)

    def _source_end(self) -> Fraction:
        """Seconds; where nothing came at all, the source ends here or before."""
        fed = max(0, self._made - 1) * UNIT_SAMPLES
        end = Fraction(self._stretch.first_sample + fed - (self._pad if fed else 0), AUDIO_RATE)
        return max(Fraction(0), end)

    def _limits(self) -> ffmpeg.Limits:
        length = self._stretch.samples / AUDIO_RATE
        longest = 120 + length / SLOWEST
        # Its output is a pipe: no file may grow.
        return ffmpeg.Limits(
            longest, cpu_seconds=longest, output_bytes=1 << 20, memory_bytes=MOST_MEMORY
        )

    def _take(self, piece: bytes) -> None:
        for unit in self._reader.feed(piece):
            self._made += 1
            if self._made > self._skip and not self._complete:
                self._add(unit)

    def _add(self, unit: bytes) -> None:
        self._units.append(unit)
        if len(self._units) == self._task.plan.grid.units_in(self._next):
            self._release()

    def _fill(self, program: FFmpeg, wanted: Wanted) -> None:
        """Silence for the rest."""
        silence: list[bytes] = []
        reader = AdtsReader()
        ffmpeg.run(
            silence_command(program.path, SILENT_UNITS, self._rendition),
            limits=ffmpeg.Limits(wall_seconds=60),
            on_stdout=lambda piece: silence.extend(reader.feed(piece)),
        )
        while not self._complete:
            if not wanted:
                raise ffmpeg.Cancelled
            if len(self._units) >= self._task.plan.grid.units_in(self._next):
                # Else this would go on for ever: a plan of before grids were `sounding`.
                raise ffmpeg.EncodingFailed(
                    "The plan has a segment without sound: transcode it anew."
                )
            self._add(silence[SILENT_UNITS // 2])

    def _release(self) -> None:
        grid = self._task.plan.grid
        start = grid.first_unit(self._next) * UNIT_SAMPLES
        data = segment(self._units, number=self._next + 1, decode_time=start)
        receipt = Receipt(
            track=self._rendition.id,
            number=self._next,
            name=f"{self._rendition.id}/{self._next}-{self._label}.m4s",
            bytes=len(data),
            start=start,
            duration=len(self._units) * UNIT_SAMPLES,
            units=len(self._units),
        )
        batch = [Parcel(receipt, data, AUDIO_TYPE)]
        if self._init:
            batch.insert(0, self._init_parcel())
            self._init = False
        self._next += 1
        self._units = []
        self._delivery.hand_over(batch)

    def _init_parcel(self) -> Parcel:
        """The same from every stretch and worker: we write it, not ffmpeg."""
        data = init_segment(channels=self._rendition.channels, bit_rate=self._rendition.bit_rate)
        receipt = Receipt(
            track=self._rendition.id,
            number=INIT,
            name=f"{self._rendition.id}/init-{self._label}.mp4",
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            codecs=AAC_LC,
        )
        return Parcel(receipt, data, AUDIO_TYPE)
