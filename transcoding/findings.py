"""What an instructor should know about a recording that was accepted. Pure; the words: `academy.findings`."""

from __future__ import annotations

from collections.abc import Iterator

from academy.findings import info, warning
from academy.media import AudioRendition
from academy.recordings import Finding, Inspection
from transcoding.facts import FileFacts

ESTIMATED = frozenset({"mp3", "aac"})
"""Containers whose declared duration is libav's guess from the bit rate."""
SMALL = 480
"""Short sides below this many pixels leave slides hard to read."""


def findings(inspection: Inspection, facts: FileFacts) -> Iterator[Finding]:
    """In order of importance."""
    yield from _completeness(inspection, facts)
    yield from _picture(inspection)
    yield from _sound(inspection)


def is_truncated(facts: FileFacts, duration: float) -> bool:
    """Whether clearly less can be played than the file claims to hold."""
    if facts.declared is None or facts.container in ESTIMATED:
        return False
    # Matroska counts from zero, even when the first frame comes later.
    declared = facts.declared - (facts.start if "matroska" in facts.container else 0.0)
    return declared - duration > max(1.0, 0.02 * declared)


def _completeness(inspection: Inspection, facts: FileFacts) -> Iterator[Finding]:
    if is_truncated(facts, inspection.duration):
        yield warning("truncated", of=facts.declared or 0.0, there=inspection.duration)
    elif facts.video is not None and facts.video.faults:
        yield warning("damaged")


def _picture(inspection: Inspection) -> Iterator[Finding]:
    video = inspection.video
    if video is None:
        yield info("no_video")
        return
    if min(video.width, video.height) < SMALL:
        yield warning("low_resolution", width=video.width, height=video.height)
    if video.hdr:
        yield info("hdr")
    if video.interlaced:
        yield info("interlaced")
    if video.variable_frame_rate:
        yield info("variable_frame_rate", rate=float(video.frame_rate.fraction))
    if video.frame_rate.fraction > 60:
        yield info("high_frame_rate")
    if video.rotation:
        yield info("rotated")
    if video.width % 2 or video.height % 2:
        yield info("odd_size", width=video.width, height=video.height)
    if inspection.video_streams > 1:
        yield info("several_video_tracks", count=inspection.video_streams)


def _sound(inspection: Inspection) -> Iterator[Finding]:
    if inspection.audio is None:
        yield warning("unreadable_audio" if inspection.audio_streams else "no_audio")
    elif inspection.audio_streams > 1:
        yield info("several_audio_tracks", count=inspection.audio_streams)


def with_sound(inspection: Inspection, sound: AudioRendition | None) -> Inspection:
    """With what was heard when the sound was measured."""
    told: list[Finding] = []
    if sound is not None and sound.silent:
        told.append(warning("silent"))
    elif sound is not None and sound.only_side is not None:
        told.append(warning(f"one_sided_{sound.only_side}"))
    return inspection.model_copy(update={"findings": [*inspection.findings, *told]})
