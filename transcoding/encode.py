"""Encodes one chunk of the video: one decode, every rung, one single-threaded ffmpeg.

While it runs, whole fragments are taken from the growing files, checked, put in their place in time,
uploaded and recorded, all rungs of a segment together. Exit status 0 proves nothing: frames are counted.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from academy.errors import AcademyError, Transient
from academy.ids import new_id
from academy.media import INIT, Grid, Receipt, VideoRendition
from transcoding import ffmpeg
from transcoding.announcements import Announcer
from transcoding.binary import FFmpeg
from transcoding.chunks import missing_runs
from transcoding.clock import on_clock
from transcoding.commands import Span, video_command
from transcoding.delivery import Delivery, Parcel
from transcoding.fragments import FragmentReader, GrowingFile
from transcoding.keyframes import led
from transcoding.mp4 import Fragment, timescale, video_codec
from transcoding.sources import Source, open_source
from transcoding.splicing import near
from transcoding.tasks import Outcome, Result, Task, local_ffmpeg, reported
from transcoding.wanted import Wanted
from transcoding.workspaces import Workspace, open_workspace

VIDEO_TYPE: Final = "video/mp4"
MAKE_UP: Final = Fraction(1)
"""Seconds of the last picture, or of silence, added without a word where a source ends early."""
SLOWEST: Final = 0.01
"""Times real time: slower than that, something hangs."""
MOST_BYTES: Final = 4 << 30
MOST_MEMORY: Final = 4 << 30
"""Of one ffmpeg. 0.4 GB are usual; a source of 8000 lines takes more."""


class WrongFrames(AcademyError):
    """The encoder made other segments than were asked for."""

    code = "wrong_frames"


class WrongInit(AcademyError):
    """This chunk's init segment differs from the one recorded: its segments would not play."""

    code = "wrong_init"


def encode_chunk(task: dict[str, Any]) -> dict[str, Any]:
    """The Dask task: a `Task` in, a `Result` out, both as plain data."""
    return reported(encode, task)


def encode(task: Task) -> Result:
    """What of the chunk has no receipts yet. Raises Cancelled, LeaseLost, EncodingFailed, …"""
    announcer = Announcer(task)
    announcer.began()
    workspace = open_workspace(task.workspace)
    program = local_ffmpeg(task)
    known = workspace.journal.receipts()
    inits = {r.track: r for r in known if r.number == INIT}
    done = {(receipt.track, receipt.number) for receipt in known}
    tracks = [rung.id for rung in task.video]
    wanted = Wanted(workspace.journal)
    total = Result(outcome=Outcome.DONE)
    with open_source(workspace.storage, task.source_key) as source:
        for first, segments in missing_runs(task.chunk, tracks, done):
            run = _Run(
                task,
                Span(task.plan.grid, first, segments),
                inits=inits,
                label=label(task, first, segments),
                announcer=announcer,
                before=total.segments,
            )
            result = run.encode(program, source, workspace, wanted)
            total = added(total, result)
            if result.outcome is not Outcome.DONE:
                break
    return total


def label(task: Task, first: int, segments: int) -> str:
    """Names segments `{number}-{label}.m4s`: objects are written once.

    The whole chunk encodes to the same bytes whenever it is encoded, so a task that Dask runs twice
    may use the attempt's plain number. What was left of a chunk would not: it gets a name of its own.
    """
    if (first, segments) == (task.first, task.chunk.segments) and task.hold_from is None:
        return str(task.attempt)
    return f"{task.attempt}.{new_id()[:6]}"


def added(total: Result, part: Result) -> Result:
    return part.model_copy(
        update={
            "segments": total.segments + part.segments,
            "cpu_seconds": total.cpu_seconds + part.cpu_seconds,
            "complaints": total.complaints + part.complaints,
        }
    )


@dataclass
class _Track:
    """One rung's growing file and what of it is complete but not yet released."""

    rung: VideoRendition
    file: GrowingFile
    reader: FragmentReader = field(default_factory=FragmentReader)
    waiting: deque[Fragment] = field(default_factory=deque)

    def poll(self) -> None:
        for piece in self.file.poll():
            self.waiting.extend(self.reader.feed(piece))


class _Run:
    """One ffmpeg over one span."""

    def __init__(
        self,
        task: Task,
        span: Span,
        *,
        inits: dict[str, Receipt],
        label: str,
        announcer: Announcer,
        before: int,
    ) -> None:
        self._task = task
        self._announcer = announcer
        self._before = before
        """Segments of this task's earlier runs."""
        self._span = span
        self._grid: Grid = span.grid
        self._inits = inits
        self._made_inits = False
        self._label = label
        self._next = span.first
        self._short: int | None = None
        """Frames of the last, incomplete segment."""

    def encode(
        self, program: FFmpeg, source: Source, workspace: Workspace, wanted: Wanted
    ) -> Result:
        with tempfile.TemporaryDirectory(prefix="academy-") as folder:
            with Delivery(
                workspace, cancelled=wanted.cancelled, on_recorded=self._announcer.recorded
            ) as delivery:
                there = self._near(program, source, wanted)
                for number, back in enumerate(self._read_from()):
                    tracks = self._tracks(Path(folder) / str(number))
                    ended = ffmpeg.run(
                        self._command(program, there, tracks, back),
                        limits=self._limits(),
                        cancelled=wanted.cancelled,
                        on_progress=self._progressed,
                        on_tick=partial(self._release, tracks, delivery),
                    )
                    self._release(tracks, delivery)
                    if self._next > self._span.first or self._short:
                        break
                if trouble := source.trouble():
                    raise Transient(trouble)
            if not wanted:
                raise ffmpeg.Cancelled
        if self._made_inits:
            self._verify_inits(workspace)
        made = self._next - self._span.first
        result = Result(
            outcome=Outcome.DONE,
            segments=made,
            cpu_seconds=ended.cpu_seconds,
            complaints=ended.complaints,
            detail=ended.tail[-1000:],
        )
        if self._next < self._span.first + self._span.segments:
            return result.model_copy(
                update={"outcome": Outcome.SHORT, "ends_at": float(self._source_end())}
            )
        return result

    def _progressed(self, progress: ffmpeg.Progress) -> None:
        self._announcer.encoded(self._before + progress.frame / self._grid.segment_frames)

    def _tracks(self, folder: Path) -> list[_Track]:
        folder.mkdir()
        return [_Track(rung, GrowingFile(folder / f"{rung.id}.mp4")) for rung in self._task.video]

    def _read_from(self) -> Sequence[Fraction | None]:
        """Where to begin reading, one after the other until there is a picture to hold."""
        if self._task.hold_from is None:
            return (None,)
        end = min(Fraction(self._task.hold_from), self._span.start)
        return [max(Fraction(0), end - back) for back in (3, 15, 60, 600)] + [Fraction(0)]

    def _command(
        self, program: FFmpeg, source: Source, tracks: Sequence[_Track], back: Fraction | None
    ) -> list[str]:
        video = self._task.inspection.video
        assert video is not None  # noqa: S101 - a plan with rungs comes from a picture
        return video_command(
            program.path,
            source,
            video,
            self._span,
            {track.rung.id: track.file.path for track in tracks},
            self._task.video,
            tone_map=program.has("filters", "zscale") and program.has("filters", "tonemap"),
            zimg=program.has("filters", "zscale"),
            pad_frames=self._pad,
            read_from=back,
        )

    def _near(self, program: FFmpeg, source: Source, wanted: Wanted) -> Source:
        """To be read from the chunk on, also where the recording has no index."""
        inspection, start = self._task.inspection, self._span.start
        if self._task.hold_from is not None:
            return on_clock(source, inspection)
        source = near(source, inspection, start, picture=True)
        return led(program.path, source, inspection, start, cancelled=wanted.cancelled)

    @property
    def _pad(self) -> int:
        """Pictures that may be held at the end: only the last chunk can have a source that ends."""
        if self._task.end < self._grid.segment_count or self._task.hold_from is not None:
            return 0
        return max(1, int(MAKE_UP * self._grid.frame_rate.fraction))

    def _source_end(self) -> Fraction:
        """Seconds; where nothing came at all, the source ends here or before."""
        frames = self._grid.first_frame(self._next) + (self._short or 0)
        if frames > self._span.first_frame:
            frames -= self._pad
        return max(Fraction(0), frames / self._grid.frame_rate.fraction)

    def _limits(self) -> ffmpeg.Limits:
        length = float(self._span.frames / self._grid.frame_rate.fraction)
        longest = 120 + length / SLOWEST
        return ffmpeg.Limits(
            wall_seconds=longest,
            cpu_seconds=longest,  # one thread encodes: more means that the source made others work
            output_bytes=MOST_BYTES,
            memory_bytes=MOST_MEMORY,
        )

    def _release(self, tracks: Sequence[_Track], delivery: Delivery) -> None:
        """Hands over every segment that all rungs have complete."""
        for track in tracks:
            track.poll()
        while all(track.waiting for track in tracks):
            if self._next >= self._span.first + self._span.segments:
                raise WrongFrames("The encoder made more segments than were asked for.")
            fragments = [track.waiting.popleft() for track in tracks]
            if not self._checked(fragments):
                return
            batch = [
                *self._fresh_inits(tracks),
                *(self._parcel(t.rung, f) for t, f in zip(tracks, fragments, strict=True)),
            ]
            self._next += 1
            delivery.hand_over(batch)
        delivery.check()

    def _checked(self, fragments: Sequence[Fragment]) -> bool:
        """Whether they are the next segment; false for what the end of the source left of one."""
        frames = self._grid.frames_in(self._next)
        counts = {fragment.samples for fragment in fragments}
        if len(counts) > 1:
            raise WrongFrames(f"Rungs of segment {self._next} have {sorted(counts)} frames.")
        count = counts.pop()
        if self._short is not None or count > frames:
            raise WrongFrames(f"Segment {self._next} has {count} frames instead of {frames}.")
        if count < frames:
            self._short = count
            return False
        for fragment in fragments:
            if (
                fragment.duration != frames * self._grid.frame_ticks
                or fragment.earliest != 0
                or not fragment.starts_with_keyframe
            ):
                raise WrongFrames(f"Segment {self._next} has wrong times or no keyframe first.")
        return True

    def _parcel(self, rung: VideoRendition, fragment: Fragment) -> Parcel:
        start = self._grid.first_frame(self._next) * self._grid.frame_ticks
        data = fragment.placed(number=self._next + 1, decode_time=start)
        receipt = Receipt(
            track=rung.id,
            number=self._next,
            name=f"{rung.id}/{self._next}-{self._label}.m4s",
            bytes=len(data),
            start=start,
            duration=fragment.duration,
            units=fragment.samples,
            key_bytes=fragment.key_bytes,
        )
        return Parcel(receipt, data, VIDEO_TYPE)

    def _fresh_inits(self, tracks: Sequence[_Track]) -> list[Parcel]:
        """Of rungs that have none recorded yet; the others' are compared."""
        parcels = []
        for track in tracks:
            data, known = track.reader.init, self._inits.get(track.rung.id)
            if data is None or timescale(data) != self._grid.timescale:
                raise WrongInit(f"{track.rung.id} has no init segment or another timescale.")
            digest = hashlib.sha256(data).hexdigest()
            if known is not None:
                if known.sha256 != digest:
                    raise WrongInit
                continue
            receipt = Receipt(
                track=track.rung.id,
                number=INIT,
                name=f"{track.rung.id}/init-{self._label}.mp4",
                bytes=len(data),
                sha256=digest,
                codecs=video_codec(data),
            )
            self._inits[track.rung.id] = receipt
            self._made_inits = True
            parcels.append(Parcel(receipt, data, VIDEO_TYPE))
        return parcels

    def _verify_inits(self, workspace: Workspace) -> None:
        """The first recorded init segment of a rung stays: another chunk's may have been faster."""
        for receipt in workspace.journal.receipts():
            ours = self._inits.get(receipt.track)
            if receipt.number == INIT and ours is not None and ours.sha256 != receipt.sha256:
                raise WrongInit
