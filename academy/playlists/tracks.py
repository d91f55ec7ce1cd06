"""What was encoded of one track: its segments in presentation time, and its measured bandwidths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

from academy.errors import Conflict, NotFound
from academy.media import (
    AUDIO_RATE,
    INIT,
    PRIMING_UNITS,
    UNIT_SAMPLES,
    MediaPlan,
    Receipt,
    Rendition,
    VideoRendition,
)

Uri = Callable[[str], str]
"""From a name below the media's prefix to what the manifest says."""

AAC_LC: Final = "mp4a.40.2"
H264_PROFILES: Final = {"baseline": "42C0", "main": "4D40", "high": "6400"}
"""profile_idc and constraint flags, as RFC 6381 writes them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment. `start` and `duration` in seconds of presentation, exact; `ticks` likewise
    in the track's timescale.
    """

    number: int
    name: str
    bytes: int
    start_ticks: int
    ticks: int
    timescale: int

    @property
    def start(self) -> Fraction:
        return Fraction(self.start_ticks, self.timescale)

    @property
    def duration(self) -> Fraction:
        return Fraction(self.ticks, self.timescale)

    @property
    def end(self) -> Fraction:
        return Fraction(self.start_ticks + self.ticks, self.timescale)


def timescale(plan: MediaPlan, track: str) -> int:
    """Ticks per second of a track."""
    return AUDIO_RATE if _is_audio(plan, track) else plan.grid.timescale


def init_receipt(track: str, receipts: Iterable[Receipt]) -> Receipt:
    """NotFound while the track's init segment was not recorded."""
    for receipt in receipts:
        if receipt.track == track and receipt.number == INIT:
            return receipt
    raise NotFound(f"the track {track} has no init segment yet")


def contiguous(plan: MediaPlan, track: str, receipts: Iterable[Receipt]) -> list[Segment]:
    """The track's segments from 0 without a gap. Empty while the init segment is missing.

    Presentation time is decode time less the priming unit, which the init segment's edit list
    removes: audio segment 0 is one unit shorter to the listener than to the decoder.
    """
    by_number = {receipt.number: receipt for receipt in receipts if receipt.track == track}
    if INIT not in by_number:
        return []
    priming = PRIMING_UNITS * UNIT_SAMPLES if _is_audio(plan, track) else 0
    rate = timescale(plan, track)
    segments: list[Segment] = []
    while (receipt := by_number.get(len(segments))) is not None:
        start = max(0, receipt.start - priming)
        segments.append(
            Segment(
                number=receipt.number,
                name=receipt.name,
                bytes=receipt.bytes,
                start_ticks=start,
                ticks=receipt.start + receipt.duration - priming - start,
                timescale=rate,
            )
        )
    return segments


def complete(plan: MediaPlan, track: str, receipts: Sequence[Receipt]) -> list[Segment]:
    """All segments of the track. Conflict when some are missing: a final manifest has no gaps."""
    segments = contiguous(plan, track, receipts)
    if len(segments) < plan.grid.segment_count:
        raise Conflict(
            f"{track} has {len(segments)} of {plan.grid.segment_count} segments: "
            "the final manifests can be written when all are there"
        )
    return segments


def target_duration(plan: MediaPlan) -> int:
    """Seconds; the same for every track and from the first request to the last (RFC 8216bis 6.2.4).

    An audio segment is cut at access units and may be up to one unit longer than a video segment.
    """
    grid = plan.grid
    longest = grid.segment_frames / grid.frame_rate.fraction
    if plan.audio is not None:
        longest += Fraction(UNIT_SAMPLES, AUDIO_RATE)
    return max(1, floor(longest + Fraction(1, 2)))


def microseconds(time: Fraction) -> int:
    return round(time * 1_000_000)


def extinf_lengths(segments: Sequence[Segment]) -> Iterator[Decimal]:
    """EXTINF to the microsecond: differences of rounded boundaries, so that their sum never drifts."""
    for segment in segments:
        length = microseconds(segment.end) - microseconds(segment.start)
        yield Decimal(length).scaleb(-6)


def average_bandwidth(segments: Sequence[Segment]) -> int:
    """Bits per second over all of them (RFC 8216bis: average segment bit rate), rounded up."""
    ticks = sum(segment.ticks for segment in segments)
    size = sum(segment.bytes for segment in segments) * 8
    return -(-size * segments[0].timescale // ticks) if ticks else 0


def peak_bandwidth(segments: Sequence[Segment], target: int) -> int:
    """Bits per second (RFC 8216bis: peak segment bit rate), rounded up: the largest rate of any run
    of segments that lasts 0.5 to 1.5 target durations. A media shorter than that has one rate.
    """
    if not segments:
        return 0
    scale = segments[0].timescale
    shortest, longest = target * scale / 2, target * scale * 3 / 2
    peak = average_bandwidth(segments) if sum(s.ticks for s in segments) < shortest else 0
    for first in range(len(segments)):
        size = ticks = 0
        for segment in segments[first:]:
            size, ticks = size + segment.bytes * 8 * scale, ticks + segment.ticks
            if ticks > longest:
                break
            if ticks >= shortest:
                peak = max(peak, -(-size // ticks))
    return peak


def track_rendition(plan: MediaPlan, track: str, receipts: Sequence[Receipt]) -> Rendition:
    """As measured over the segments there are; the plan's caps while there is none.

    `bytes` counts the init segment too: it is what the rendition takes in storage.
    NotFound for a track the plan does not have.
    """
    segments = contiguous(plan, track, receipts)
    stored = [r for r in receipts if r.track == track]
    codecs = next((r.codecs for r in stored if r.number == INIT and r.codecs), None)
    size = sum(receipt.bytes for receipt in stored)
    target = target_duration(plan)
    if _is_audio(plan, track):
        assert plan.audio is not None  # noqa: S101 - what _is_audio says
        cap = plan.audio.bit_rate
        return Rendition(
            id=track,
            codecs=codecs or AAC_LC,
            average_bandwidth=average_bandwidth(segments) or cap,
            peak_bandwidth=peak_bandwidth(segments, target) or cap,
            bytes=size,
        )
    rung = _rung(plan, track)
    return Rendition(
        id=track,
        width=rung.width,
        height=rung.height,
        frame_rate=float(plan.grid.frame_rate.fraction),
        codecs=codecs or _planned_codecs(rung),
        average_bandwidth=average_bandwidth(segments) or rung.max_rate,
        peak_bandwidth=peak_bandwidth(segments, target) or rung.max_rate,
        bytes=size,
    )


def _is_audio(plan: MediaPlan, track: str) -> bool:
    return plan.audio is not None and plan.audio.id == track


def _rung(plan: MediaPlan, track: str) -> VideoRendition:
    for rung in plan.video:
        if rung.id == track:
            return rung
    raise NotFound(f"this media has no track {track}")


def _planned_codecs(rung: VideoRendition) -> str:
    """RFC 6381 name of what the encoder is asked for, used until an init segment says it."""
    if rung.codec == "av1":
        major, minor = rung.level.split(".")
        return f"av01.0.{4 * (int(major) - 2) + int(minor):02}M.08"
    level = round(float(rung.level) * 10)
    return f"avc1.{H264_PROFILES.get(rung.profile.lower(), '6400')}{level:02X}"
