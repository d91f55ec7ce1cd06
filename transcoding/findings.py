"""What an instructor should know about a recording that was accepted. Pure; the words: `academy.findings`."""

from __future__ import annotations

from collections.abc import Iterator

from academy.findings import info, warning
from academy.media import MediaPlan
from academy.recordings import Finding, Inspection
from transcoding.facts import FileFacts

ESTIMATED = frozenset({"mp3", "aac"})
"""Containers whose declared duration is libav's guess from the bit rate."""
SMALL = 480
"""Short sides below this many pixels leave everything hard to read."""
SMALL_FOR_SLIDES = 720
QUIET = -36.0
"""LUFS: the most that sound is amplified (20 dB) does not bring it to the usual loudness."""
OUTLASTS = 5.0
"""Seconds that the sound may go on after the picture, or 2 % of the whole, before anybody is told."""


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
    video, audio = inspection.video, inspection.audio
    if video is None or audio is None or video.end is None or audio.end is None:
        return
    if audio.end - video.end > max(OUTLASTS, 0.02 * inspection.duration):
        yield warning("sound_outlasts_picture", sound=audio.end, picture=video.end)


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


def with_measured(inspection: Inspection, plan: MediaPlan) -> Inspection:
    """With what was seen and heard when the recording was planned."""
    told = [*_slides(inspection, plan), *_heard(plan)]
    return inspection.model_copy(update={"findings": [*inspection.findings, *told]})


def _slides(inspection: Inspection, plan: MediaPlan) -> Iterator[Finding]:
    """Text needs more lines than a face does."""
    video = inspection.video
    if video is None or not any(reason.code == "drawn" for reason in plan.explanation):
        return
    if SMALL <= min(video.width, video.height) < SMALL_FOR_SLIDES:
        yield warning("low_resolution", width=video.width, height=video.height)


def _heard(plan: MediaPlan) -> Iterator[Finding]:
    sound = plan.audio
    if sound is None:
        return
    if sound.silent:
        yield warning("silent")
        return
    if sound.only_side is not None:
        yield warning(f"one_sided_{sound.only_side}")
    if sound.loudness is not None and sound.loudness < QUIET:
        yield warning("quiet", loudness=round(sound.loudness, 1))
    if sound.clipped:
        yield warning("clipped")
    if sound.drop_outs:
        yield warning("drop_outs", count=sound.drop_outs, at=sound.drop_out_at or 0.0)
