"""A recording: one uploaded file of one lecture, and what inspection found in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Finding(BaseModel):
    """Something an instructor should know about the file, in a sentence they understand."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    message: str
    values: dict[str, str | int | float] = Field(default_factory=dict, exclude_if=lambda v: not v)
    """What the sentence names, so that it can be said in other languages (`academy.findings`)."""


class Reason(BaseModel):
    """One step of the decision which renditions a recording gets, with what it rests on."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    figures: dict[str, float] = Field(default_factory=dict)


class Ratio(BaseModel):
    """An exact rational, such as 30000/1001 frames per second."""

    model_config = ConfigDict(frozen=True)

    num: int = Field(gt=0)
    den: int = Field(default=1, gt=0)

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.num, self.den)

    @classmethod
    def of(cls, value: Fraction) -> Ratio:
        return cls(num=value.numerator, den=value.denominator)


class VideoStream(BaseModel):
    """As it will be seen: `width` and `height` are display pixels after rotation and pixel aspect."""

    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    width: int
    height: int
    coded_width: int
    coded_height: int
    rotation: int = 0
    """Degrees clockwise: 0, 90, 180, 270."""
    frame_rate: Ratio
    """Nominal, snapped to a standard rate where it is near one."""
    variable_frame_rate: bool = False
    interlaced: bool = False
    pixel_format: str
    bit_depth: int = 8
    colour_primaries: str | None = None
    colour_transfer: str | None = None
    colour_space: str | None = None
    hdr: bool = False
    start: float = 0.0
    """Seconds after the container's start at which the first frame is shown."""
    end: float | None = None
    """Seconds after the container's start at which the last frame ends, where known."""


class AudioStream(BaseModel):
    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    channels: int
    sample_rate: int
    language: str | None = None
    start: float = 0.0
    end: float | None = None
    """As for the picture; either may begin later or end sooner than the other."""


class SubtitleStream(BaseModel):
    """Subtitles that are text; pictures of text are left aside."""

    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    language: str | None = None
    """As the file says, such as `chi`."""
    title: str | None = None
    forced: bool = False
    hearing_impaired: bool = False


class Inspection(BaseModel):
    """What the file holds. `start` is the container's start time, `duration` what can be played after it."""

    model_config = ConfigDict(frozen=True)

    container: str
    size: int
    start: float = 0.0
    duration: float
    video: VideoStream | None = None
    audio: AudioStream | None = None
    audio_streams: int = 0
    video_streams: int = 0
    subtitle_streams: int = 0
    subtitles: list[SubtitleStream] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    explanation: list[Reason] = Field(default_factory=list)
    """Why it gets the renditions it gets."""


class Recording(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    lecture_id: str
    upload_id: str
    number: int
    filename: str
    size: int
    key: str
    created_at: datetime = Field(default_factory=now)
    inspection: Inspection | None = None
