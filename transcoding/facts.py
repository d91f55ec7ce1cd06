"""What `libav/child.py` reports, checked: that process read a stranger's file, so it is not trusted."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=100)]
Tick = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Pair = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]]


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(Facts):
    failure: Name
    reason: Annotated[str, Field(max_length=2000)] = ""
    without_index: bool = False
    """An MP4 or MOV whose `moov` is missing."""
    cut: bool = False
    """Its last box claims more bytes than there are."""


class VideoFacts(Facts):
    index: Count
    codec: Name
    coded_width: int = Field(ge=0)
    coded_height: int = Field(ge=0)
    shape: Pair
    """Sample aspect ratio."""
    pixel_format: Name
    bit_depth: int = Field(ge=1, le=64)
    primaries: int
    transfer: int
    matrix: int
    field_order: int
    """AVFieldOrder: 0 unknown, 1 progressive, else interlaced."""
    start: Seconds | None
    tick: Pair
    rates: list[Pair]
    """Average, base and guessed rate, as far as libav knows them."""
    decoded: Count
    faults: Count
    encrypted: bool
    interlaced: Count
    """Of the decoded frames."""
    rotation: int = 0
    """Degrees clockwise."""
    windows: list[list[Tick]] = Field(default_factory=list)
    """Frame times in ticks, rising, sampled at several places."""

    @property
    def tick_seconds(self) -> Fraction:
        return Fraction(*self.tick)


class AudioFacts(Facts):
    index: Count
    codec: Name
    channels: int = Field(gt=0, le=256)
    sample_rate: int = Field(gt=0)
    language: Annotated[str, Field(max_length=40)] | None
    start: Seconds | None
    encrypted: bool


class EndFacts(Facts):
    """Seconds after the container's start; None: no packet of it was found."""

    video: Seconds | None = None
    audio: Seconds | None = None
    decodable: Seconds | None = None
    """Up to where pictures come out."""


class CountFacts(Facts):
    video: Count
    audio: Count
    subtitle: Count


class SubtitleFacts(Facts):
    index: Count
    codec: Name
    language: Annotated[str, Field(max_length=40)] | None
    title: Annotated[str, Field(max_length=200)]
    forced: bool
    hearing_impaired: bool


class FileFacts(Facts):
    container: Name
    start: Seconds
    declared: Seconds | None
    counts: CountFacts
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    subtitles: list[SubtitleFacts] = Field(default_factory=list)
    ends: EndFacts = EndFacts()
    joined: bool = False
    """Its clock begins anew in the middle."""
