"""Published renditions of a recording: the frozen plan, the receipts of what was encoded, the result.

Time is counted in frames and audio access units; every boundary is an exact rational. Names of
objects are relative to the media's prefix `media/{media_id}/`, so a whole media moves as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import Lecture, now
from academy.ids import new_id
from academy.jobs import Job, JobState
from academy.localised import LanguageTag
from academy.recordings import Ratio, Reason

AUDIO_RATE = 48_000
"""Samples per second, and the audio track's timescale."""
UNIT_SAMPLES = 1024
"""Samples of one AAC-LC access unit."""
PRIMING_UNITS = 1
"""AAC encoder delay: unit 0 decodes to priming, signalled by an edit list in the init segment."""
INIT = -1
"""The `number` of the receipt of a track's init segment."""


def media_prefix(media_id: str) -> str:
    return f"media/{media_id}/"


class Grid(BaseModel):
    """The segment grid all renditions share: constant frame rate, whole frames per segment."""

    model_config = ConfigDict(frozen=True)

    frame_rate: Ratio
    segment_frames: int = Field(gt=0)
    frames: int = Field(gt=0)
    """Of the whole video."""

    @property
    def segment_count(self) -> int:
        return -(-self.frames // self.segment_frames)

    @property
    def duration(self) -> Fraction:
        return self.frames / self.frame_rate.fraction

    @property
    def timescale(self) -> int:
        """Ticks per second in which every frame lasts a whole number of ticks; at least 10,000."""
        num = self.frame_rate.num
        return num if num >= 10_000 else num * -(-10_000 // num)

    @property
    def frame_ticks(self) -> int:
        return self.frame_rate.den * self.timescale // self.frame_rate.num

    def first_frame(self, segment: int) -> int:
        """Of a segment; of the one after the last: the number of frames."""
        return min(segment * self.segment_frames, self.frames)

    def frames_in(self, segment: int) -> int:
        return self.first_frame(segment + 1) - self.first_frame(segment)

    def start(self, segment: int) -> Fraction:
        """Seconds."""
        return self.first_frame(segment) / self.frame_rate.fraction

    def first_unit(self, segment: int) -> int:
        """The audio access unit at which an audio segment begins (priming unit included in segment 0)."""
        if segment <= 0:
            return 0
        return round(self.start(segment) * AUDIO_RATE / UNIT_SAMPLES) + PRIMING_UNITS

    def units_in(self, segment: int) -> int:
        return self.first_unit(segment + 1) - self.first_unit(segment)

    def sounding(self) -> Grid:
        """The same, its last picture shown a little longer where its last segment would have no unit of sound:
        a single frame at 48 per second or more lasts less than one.
        """
        grid = self
        while grid.units_in(grid.segment_count - 1) < 1:
            grid = grid.model_copy(update={"frames": grid.frames + 1})
        return grid


class Chunk(BaseModel):
    """Whole segments that one task encodes into every rendition from one decode."""

    model_config = ConfigDict(frozen=True)

    index: int
    first_segment: int
    segments: int = Field(gt=0)


class VideoRendition(BaseModel):
    """One rung of the ladder. Rates in bits per second; `max_rate` caps constant-quality encoding."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Such as `v1080`: also the folder of its segments."""
    width: int
    height: int
    codec: Literal["h264", "av1"] = "h264"
    preset: str
    """x264's names; SVT-AV1's numbers."""
    crf: int
    parameters: str = ""
    """Further encoder parameters, `name=value:name=value`, as x264 and SVT-AV1 take them."""
    cost: float | None = None
    """Seconds of one core per second of recording, estimated from samples; None where there are none."""
    max_rate: int
    buffer: int
    """VBV buffer, bits."""
    profile: str
    level: str


class AudioRendition(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    """Such as `a96`."""
    channels: int
    bit_rate: int
    gain_db: float = 0.0
    """One static gain towards the target loudness, fixed in the plan so that no join can be heard."""
    silent: bool = False
    """Nothing can be heard, as far as was listened."""
    only_side: Literal["left", "right"] | None = None
    """The only side that can be heard, where there are two."""
    loudness: float | None = None
    """Of the source, in LUFS, where it could be measured."""
    clipped: bool = False
    """The source was recorded too loudly: its peaks are cut off."""
    drop_outs: int = 0
    """How often the source's sound was heard to break off and come back."""
    drop_out_at: float | None = None
    """Seconds at which it did so first."""


class MediaPlan(BaseModel):
    """Frozen in one lease-guarded write before the first object exists."""

    model_config = ConfigDict(frozen=True)

    grid: Grid
    video: list[VideoRendition]
    audio: AudioRendition | None
    chunks: list[Chunk]
    encoder: str
    """Fingerprint of the ffmpeg build: workers with another one refuse."""
    profile: str = "default"
    later: list[str] = Field(default_factory=list)
    """Ids of rungs that would keep the first viewers waiting: a second pass makes them, once everything
    else can be watched to its end.
    """
    explanation: list[Reason] = Field(default_factory=list)
    """Why these renditions: copied into the inspection that the API shows."""

    @property
    def tracks(self) -> list[str]:
        return [rung.id for rung in self.video] + ([self.audio.id] if self.audio else [])

    @property
    def at_first(self) -> MediaPlan:
        """The same without what comes later: what grows, and what is published first."""
        if not self.later:
            return self
        rungs = [rung for rung in self.video if rung.id not in self.later]
        return self.model_copy(update={"video": rungs, "later": []})


class Receipt(BaseModel):
    """Proof that one segment (or init segment) was encoded, checked and stored.

    `start` and `duration` in ticks of the track's timescale; `units` are frames or access units.
    """

    model_config = ConfigDict(frozen=True)

    track: str
    number: int
    """From 0; INIT for the init segment."""
    name: str
    """Object name below the media's prefix, such as `v1080/12-1.m4s`."""
    bytes: int
    start: int = 0
    duration: int = 0
    units: int = 0
    key_bytes: int = 0
    """From the segment's beginning to the end of its first picture, which stands alone; 0: not known."""
    sha256: str | None = None
    """Of init segments: they must be equal from whichever chunk they come."""
    codecs: str | None = None
    """RFC 6381, on init receipts."""


class Available(BaseModel):
    """What of a growing media can be played now: per track, how many segments without a gap from 0."""

    model_config = ConfigDict(frozen=True)

    segments: dict[str, int]
    duration: float
    """Seconds that every track covers."""


def available(plan: MediaPlan, receipts: Iterable[Receipt]) -> Available:
    numbers: dict[str, set[int]] = defaultdict(set)
    for receipt in receipts:
        numbers[receipt.track].add(receipt.number)
    contiguous = {track: _run_from_zero(numbers[track]) for track in plan.tracks}
    fewest = min(contiguous.values(), default=0)
    return Available(segments=contiguous, duration=float(plan.grid.start(fewest)))


def _run_from_zero(numbers: set[int]) -> int:
    """How many segments from 0 without a gap; none while the init segment is missing."""
    if INIT not in numbers:
        return 0
    count = 0
    while count in numbers:
        count += 1
    return count


class Rendition(BaseModel):
    """As encoded and as the API shows it. Bandwidths in bits per second, measured over segments."""

    model_config = ConfigDict(frozen=True)

    id: str
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    codecs: str
    average_bandwidth: int
    peak_bandwidth: int
    bytes: int


class CaptionTrack(BaseModel):
    """Text that goes with the picture: one WebVTT file of the whole length, times from the start."""

    model_config = ConfigDict(frozen=True)

    language: LanguageTag
    label: str = Field(min_length=1, max_length=80)
    """As the player's menu shows it, in its own language."""
    kind: Literal["subtitles", "captions"] = "subtitles"
    """`captions` also tell what can be heard, for those who cannot hear it."""
    name: str
    """Object name below the media's prefix."""


class StoryboardSheets(BaseModel):
    """Storyboard sheets as a manifest needs them: every sheet has the same rows and columns of tiles."""

    model_config = ConfigDict(frozen=True)

    names: list[str] = Field(min_length=1)
    """Object names below the media's prefix, `…-0.jpg`, `…-1.jpg` …"""
    columns: int = Field(gt=0)
    rows: int = Field(gt=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    """Of a tile, pixels."""
    segments: int = Field(gt=0)
    """How many segments one tile stands for."""


class ChapterMark(BaseModel):
    """A part of the lecture that one slide was shown for. `start` and `end` in seconds."""

    model_config = ConfigDict(frozen=True)

    start: float
    end: float
    title: dict[LanguageTag, str]
    thumbnail: str | None = None
    """Object name below the media's prefix."""


class Publication(BaseModel):
    """The final manifests of a media. Names are relative to the media's prefix and never change."""

    model_config = ConfigDict(frozen=True)

    revision: int = 1
    hls: str
    dash: str
    poster: str | None = None
    storyboard: str | None = None
    sheets: StoryboardSheets | None = None
    captions: list[CaptionTrack] = Field(default_factory=list)
    chapters: list[ChapterMark] = Field(default_factory=list)
    duration: float
    renditions: list[Rendition]


class Media(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    recording_id: str
    lecture_id: str
    job_id: str
    number: int
    """Of the recording."""
    plan: MediaPlan
    created_at: datetime = Field(default_factory=now)
    publication: Publication | None = None


class PlaybackState(StrEnum):
    NONE = "none"
    PROCESSING = "processing"
    STREAMING = "streaming"
    READY = "ready"
    FAILED = "failed"


def playback_state(lecture: Lecture, job: Job | None, growing: Available | None) -> PlaybackState:
    """Derived, never stored. `job` is the newest recording's; `growing` what it has encoded so far.

    A replacement never streams: the old media play until the new are final.
    """
    if lecture.media is not None:
        return PlaybackState.READY
    if job is None:
        return PlaybackState.NONE
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        return PlaybackState.FAILED
    if growing is not None and growing.duration > 0:
        return PlaybackState.STREAMING
    return PlaybackState.PROCESSING
