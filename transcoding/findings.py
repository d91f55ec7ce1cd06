"""What an instructor should know about a recording that was accepted, in their words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from academy.recordings import Finding, Inspection, Severity
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
        yield _warning(
            "truncated",
            f"The file is incomplete: of {spoken(facts.declared or 0)} only the first "
            f"{spoken(inspection.duration)} can be played. Recording or copying it broke off; "
            "if you have the complete file, upload that one.",
        )
    elif facts.video is not None and facts.video.faults:
        yield _warning(
            "damaged",
            "Parts of the picture are damaged and may show blocks or stand still. "
            "If you have an intact copy, upload that one.",
        )


def _picture(inspection: Inspection) -> Iterator[Finding]:
    video = inspection.video
    if video is None:
        yield _info("no_video", "There is no picture: this becomes a lecture to listen to.")
        return
    if min(video.width, video.height) < SMALL:
        yield _warning(
            "low_resolution",
            f"The picture is small ({video.width} × {video.height}): text on slides may be hard "
            "to read. If you can, record with at least 1280 × 720.",
        )
    if video.hdr:
        yield _info(
            "hdr", "The picture has a high dynamic range; colours are converted for all screens."
        )
    if video.interlaced:
        yield _info("interlaced", "The picture is interlaced and is converted to full frames.")
    if video.variable_frame_rate:
        rate = float(video.frame_rate.fraction)
        yield _info(
            "variable_frame_rate",
            f"The frame rate varies; it is evened out to {rate:.5g} frames per second.",
        )
    if video.frame_rate.fraction > 60:
        yield _info("high_frame_rate", "More than 60 frames per second are reduced to at most 60.")
    if video.rotation:
        yield _info("rotated", "The picture was recorded turned and is shown upright.")
    if video.width % 2 or video.height % 2:
        yield _info(
            "odd_size",
            f"The picture's size ({video.width} × {video.height}) is odd; it is rounded by a pixel.",
        )
    if inspection.video_streams > 1:
        yield _info(
            "several_video_tracks",
            f"The file holds {inspection.video_streams} pictures; the largest one is used.",
        )


def _sound(inspection: Inspection) -> Iterator[Finding]:
    audio = inspection.audio
    if audio is None:
        reason = "cannot be read" if inspection.audio_streams else "is missing"
        yield _warning(
            "no_audio",
            f"The sound {reason}: the lecture will be silent. "
            "If it should be heard, check the recording and upload it again.",
        )
        return
    if inspection.audio_streams > 1:
        language = f" ({audio.language})" if audio.language else ""
        yield _info(
            "several_audio_tracks",
            f"The file holds {inspection.audio_streams} sound tracks; the main one{language} is used.",
        )


def spoken(seconds: float) -> str:
    """`1 h 32 min`, `4 min 5 s`, `3.6 s`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _warning(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, message=message)


def _info(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.INFO, message=message)
