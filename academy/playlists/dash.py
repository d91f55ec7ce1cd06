"""DASH media presentation description (ISO/IEC 23009-1), static, one period.

Segment names carry the attempt that made them. Where all of a track's have the same one, a
SegmentTemplate says it in one line (a two-hour lecture's MPD shrinks from 300 kB to a few); where a
takeover mixed attempts, a SegmentList names each. Both carry an exact SegmentTimeline. Profile
`isoff-live` allows templates only (8.4), so a list makes it `isoff-main` (8.5).

Times are after the edit list that removes audio priming: every track begins at 0 and no
presentationTimeOffset is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, gcd
from typing import Final
from xml.etree import ElementTree as ET  # writes only, nothing is parsed

from academy.media import (
    AUDIO_RATE,
    AudioRendition,
    CaptionTrack,
    MediaPlan,
    Receipt,
    Rendition,
    StoryboardSheets,
    VideoRendition,
)
from academy.playlists.dash_extras import ROLE, caption_sets, thumbnail_set
from academy.playlists.tracks import (
    Segment,
    Uri,
    complete,
    init_receipt,
    timescale,
    track_rendition,
)

DASH_TYPE: Final = "application/dash+xml"
NAMESPACE: Final = "urn:mpeg:dash:schema:mpd:2011"
PROFILE: Final = "urn:mpeg:dash:profile:isoff-{}:2011"
CHANNELS: Final = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
FURTHER_CODECS: Final = 50
"""AdaptationSet ids from here on: the first set of pictures is 0, sound 1."""
_NUMBERED = re.compile(r"(?P<folder>[^$]*/)(?P<number>\d+)(?P<rest>[^/$]*)")


def mpd(
    plan: MediaPlan,
    receipts: Sequence[Receipt],
    *,
    uri: Uri,
    language: str | None = None,
    captions: Sequence[CaptionTrack] = (),
    sheets: StoryboardSheets | None = None,
) -> str:
    """The MPD of a finished media. Conflict while segments are missing."""
    tracks = {track: complete(plan, track, receipts) for track in plan.tracks}
    templates = {track: _template(segments) for track, segments in tracks.items()}
    longest = max(segment.duration for segments in tracks.values() for segment in segments)
    root = ET.Element(
        "MPD",
        {
            "xmlns": NAMESPACE,
            "profiles": PROFILE.format("live" if all(templates.values()) else "main"),
            "type": "static",
            "mediaPresentationDuration": _duration(plan.grid.duration),
            "maxSegmentDuration": _duration(longest),
            # @bandwidth is the peak over segments, so one segment's time of buffer is enough.
            "minBufferTime": _duration(longest),
        },
    )
    period = ET.SubElement(root, "Period", id="0", start="PT0S")
    # One set per codec: within a set players switch at will, which many decoders cannot across codecs.
    for number, codec in enumerate(dict.fromkeys(rung.codec for rung in plan.video)):
        rungs = [rung for rung in plan.video if rung.codec == codec]
        adaptation = ET.SubElement(period, "AdaptationSet", _video_set(plan, rungs, number))
        ET.SubElement(adaptation, "Role", schemeIdUri=ROLE, value="main")
        for rung in rungs:
            rendition = track_rendition(plan, rung.id, receipts)
            representation = ET.SubElement(adaptation, "Representation", _video(rendition))
            _segments(representation, plan, rung.id, tracks[rung.id], receipts, uri)
    if plan.audio:
        adaptation = ET.SubElement(period, "AdaptationSet", _audio_set(language))
        ET.SubElement(adaptation, "Role", schemeIdUri=ROLE, value="main")
        rendition = track_rendition(plan, plan.audio.id, receipts)
        representation = ET.SubElement(adaptation, "Representation", _audio(rendition))
        _channels(representation, plan.audio)
        _segments(representation, plan, plan.audio.id, tracks[plan.audio.id], receipts, uri)
    if sheets is not None:
        thumbnail_set(period, plan, sheets, uri)
    caption_sets(period, captions, uri)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _video_set(plan: MediaPlan, rungs: Sequence[VideoRendition], number: int) -> dict[str, str]:
    best = max(rungs, key=lambda rung: rung.height)
    shape = gcd(best.width, best.height)
    rate = plan.grid.frame_rate.fraction
    return {
        "id": str(number and FURTHER_CODECS + number),
        "contentType": "video",
        "mimeType": "video/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
        "maxWidth": str(max(rung.width for rung in rungs)),
        "maxHeight": str(best.height),
        "par": f"{best.width // shape}:{best.height // shape}",
        "frameRate": str(rate),
    }


def _video(rendition: Rendition) -> dict[str, str]:
    return {
        "id": rendition.id,
        "codecs": rendition.codecs,
        "bandwidth": str(rendition.peak_bandwidth),
        "width": str(rendition.width),
        "height": str(rendition.height),
        "sar": "1:1",
    }


def _audio_set(language: str | None) -> dict[str, str]:
    attributes = {
        "id": "1",
        "contentType": "audio",
        "mimeType": "audio/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
    return attributes | ({"lang": language} if language else {})


def _audio(rendition: Rendition) -> dict[str, str]:
    return {
        "id": rendition.id,
        "codecs": rendition.codecs,
        "bandwidth": str(rendition.peak_bandwidth),
        "audioSamplingRate": str(AUDIO_RATE),
    }


def _channels(representation: ET.Element, audio: AudioRendition) -> None:
    """Comes before the segment information in the schema's sequence."""
    ET.SubElement(
        representation,
        "AudioChannelConfiguration",
        schemeIdUri=CHANNELS,
        value=str(audio.channels),
    )


def _segments(
    representation: ET.Element,
    plan: MediaPlan,
    track: str,
    segments: Sequence[Segment],
    receipts: Sequence[Receipt],
    uri: Uri,
) -> None:
    init = uri(init_receipt(track, receipts).name)
    scale = str(timescale(plan, track))
    template = _template(segments)
    if template is not None:
        information = ET.SubElement(
            representation,
            "SegmentTemplate",
            timescale=scale,
            initialization=init,
            media=uri(template),
            startNumber="0",
        )
        _timeline(information, segments)
        return
    information = ET.SubElement(representation, "SegmentList", timescale=scale)
    ET.SubElement(information, "Initialization", sourceURL=init)
    _timeline(information, segments)
    for segment in segments:
        ET.SubElement(information, "SegmentURL", media=uri(segment.name))


def _timeline(parent: ET.Element, segments: Sequence[Segment]) -> None:
    """SegmentTimeline (5.3.9.6); `r` counts repetitions of equal durations."""
    timeline = ET.SubElement(parent, "SegmentTimeline")
    last: ET.Element | None = None
    for segment in segments:
        if last is not None and last.get("d") == str(segment.ticks):
            last.set("r", str(int(last.get("r", "0")) + 1))
        else:
            start = {"t": str(segment.start_ticks)} if last is None else {}
            last = ET.SubElement(timeline, "S", {**start, "d": str(segment.ticks)})


def _template(segments: Sequence[Segment]) -> str | None:
    """`v1080/$Number$-1.m4s` when every name fits it, else None."""
    patterns = {_pattern(segment) for segment in segments}
    return patterns.pop() if len(patterns) == 1 else None


def _pattern(segment: Segment) -> str | None:
    name = _NUMBERED.fullmatch(segment.name)
    if name is None or name["number"] != str(segment.number):
        return None
    return f"{name['folder']}$Number${name['rest']}"


def _duration(seconds: Fraction) -> str:
    """xs:duration, rounded up to the microsecond: rounded down, the last frame would be cut off."""
    value = Decimal(ceil(seconds * 1_000_000)).scaleb(-6).normalize()
    return f"PT{value:f}S"
