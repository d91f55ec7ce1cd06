"""Why a recording cannot become a lecture, in sentences an instructor understands. Pure."""

from __future__ import annotations

from typing import Final

from academy.errors import RejectedMedia
from academy.findings import spoken
from transcoding.facts import Failure, FileFacts
from transcoding.findings import is_truncated

LONGEST: Final = 12 * 3600.0
SHORTEST: Final = 0.5
LARGEST_SIDE: Final = 8192
ANOTHER: Final = (
    "Open it in a player to check it, save it again as MP4 (H.264 and AAC), and upload that file."
)


def of_failure(failure: Failure, filename: str) -> RejectedMedia:
    """The refusal for a file that libav could not open."""
    name = f"“{filename}”"
    if failure.failure == "too_many_streams":
        return RejectedMedia(
            f"{name} holds far too many tracks. Save it with one picture and one sound track.",
            code="too_many_streams",
        )
    if failure.failure == "too_large_picture":
        return _too_large(name)
    if failure.without_index:
        return RejectedMedia(
            f"{name} is incomplete: it ends before its index, so nothing in it can be played. "
            "Recording or copying it broke off. Upload the complete file, or repair this one first.",
            code="truncated",
        )
    return RejectedMedia(
        f"{name} cannot be read as a recording. {ANOTHER}", code="unreadable_media"
    )


def refuse_unusable(facts: FileFacts, duration: float, filename: str) -> None:
    """Raises RejectedMedia for what was opened but cannot become a lecture."""
    name = f"“{filename}”"
    video, audio = facts.video, facts.audio
    if video is None and audio is None:
        if facts.counts.video or facts.counts.audio:
            raise RejectedMedia(
                f"{name} is stored in a format that cannot be decoded. {ANOTHER}",
                code="unreadable_media",
            )
        raise RejectedMedia(
            f"{name} holds neither picture nor sound. Upload the recording itself.",
            code="no_streams",
        )
    if (video is not None and video.encrypted) or (audio is not None and audio.encrypted):
        raise RejectedMedia(
            f"{name} is encrypted (copy protection). Upload a copy without protection.",
            code="encrypted",
        )
    if video is not None and max(video.coded_width, video.coded_height) > LARGEST_SIDE:
        raise _too_large(name)
    if facts.joined:
        raise RejectedMedia(
            f"{name} is several recordings put one behind the other: the clock in it begins anew, so that only "
            "one of them could be shown. Join them in a video editor, or upload each as a lecture.",
            code="joined",
        )
    if duration < 1.0 and is_truncated(facts, duration):
        raise RejectedMedia(
            f"{name} is incomplete: of {spoken(facts.declared or 0)} almost nothing can be played. "
            "Recording or copying it broke off. Upload the complete file.",
            code="truncated",
        )
    if video is not None and not video.decoded:
        raise RejectedMedia(
            f"No picture in {name} can be decoded ({video.codec}). {ANOTHER}",
            code="unreadable_media",
        )
    if duration < SHORTEST:
        raise RejectedMedia(
            f"{name} lasts less than half a second. Is it the right file?", code="too_short"
        )
    if duration > LONGEST:
        raise RejectedMedia(
            f"{name} lasts {spoken(duration)}, more than the 12 hours allowed. "
            "Cut it into several lectures.",
            code="too_long",
        )


def _too_large(name: str) -> RejectedMedia:
    return RejectedMedia(
        f"The picture in {name} is larger than {LARGEST_SIDE} pixels on one side. "
        "Save it with at most 3840 × 2160.",
        code="too_large_picture",
    )


def too_hard(filename: str) -> RejectedMedia:
    """The reading process crashed or reached its limits."""
    return RejectedMedia(
        f"“{filename}” could not be read: it is damaged or not a recording. {ANOTHER}",
        code="unreadable_media",
    )
