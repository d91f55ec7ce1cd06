"""What a DASH manifest holds besides picture and sound: caption files, storyboard sheets, trick play.

Captions are whole WebVTT files (ISO/IEC 23009-1, 5.3.7); sheets are DASH-IF thumbnail tiles
(Guidelines, part 7, 3.2.9): one JPEG per `columns`x`rows` tiles. Trick play (DASH-IF IOP 4.3, 3.2.9) names the first pictures of
the smallest rung's segments, as the I-frame playlists do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET  # writes only, nothing is parsed

from academy.media import CaptionTrack, MediaPlan, Rendition, StoryboardSheets
from academy.playlists.tracks import Segment, Uri

ROLE: Final = "urn:mpeg:dash:role:2011"
TILES: Final = "http://dashif.org/guidelines/thumbnail_tile"
TRICK_MODE: Final = "http://dashif.org/guidelines/trickmode"
FASTEST: Final = "32"
"""Times real time: eight pictures each second then, at segments of four."""
FIRST_CAPTIONS: Final = 10
THUMBNAILS: Final = 9
TRICKS: Final = 8
"""Ids of adaptation sets; picture and sound are 0 and 1."""
SHEET_BITS: Final = 8 * 400_000
"""More than a sheet of small tiles takes, for @bandwidth."""


def caption_sets(period: ET.Element, tracks: Sequence[CaptionTrack], uri: Uri) -> None:
    for number, track in enumerate(tracks):
        adaptation = ET.SubElement(
            period,
            "AdaptationSet",
            id=str(FIRST_CAPTIONS + number),
            contentType="text",
            mimeType="text/vtt",
            lang=track.language,
        )
        role = "caption" if track.kind == "captions" else "subtitle"
        ET.SubElement(adaptation, "Role", schemeIdUri=ROLE, value=role)
        ET.SubElement(adaptation, "Label").text = track.label
        name = f"{track.kind}-{track.language}"
        representation = ET.SubElement(adaptation, "Representation", id=name, bandwidth="1000")
        ET.SubElement(representation, "BaseURL").text = uri(track.name)


def thumbnail_set(period: ET.Element, plan: MediaPlan, sheets: StoryboardSheets, uri: Uri) -> None:
    """Sheets are numbered from 0 and of equal length, the last one being cut short by the period."""
    grid = plan.grid
    frames = grid.segment_frames * sheets.segments * sheets.columns * sheets.rows
    adaptation = ET.SubElement(
        period,
        "AdaptationSet",
        id=str(THUMBNAILS),
        contentType="image",
        mimeType="image/jpeg",
    )
    first = sheets.names[0]
    ET.SubElement(
        adaptation,
        "SegmentTemplate",
        media=uri(first[: first.rindex("0.")] + "$Number$" + first[first.rindex("0.") + 1 :]),
        timescale=str(grid.timescale),
        duration=str(frames * grid.frame_ticks),
        startNumber="0",
    )
    seconds = frames / grid.frame_rate.fraction
    representation = ET.SubElement(
        adaptation,
        "Representation",
        id="storyboard",
        bandwidth=str(max(1, int(SHEET_BITS / seconds))),
        width=str(sheets.columns * sheets.width),
        height=str(sheets.rows * sheets.height),
    )
    ET.SubElement(
        representation,
        "EssentialProperty",
        schemeIdUri=TILES,
        value=f"{sheets.columns}x{sheets.rows}",
    )


def trick_set(
    period: ET.Element,
    rung: Rendition,
    pictures: Sequence[Segment],
    *,
    init: str,
    bandwidth: int,
    plays_for: str,
    profile: str,
) -> ET.Element:
    """One picture per segment, for winding. `plays_for` is the id of the set it stands in for.

    Byte ranges need a list of segments, which the profile of the other sets does not know: whoever knows
    only that one leaves this set out (ISO/IEC 23009-1, 8.1). Returns the list, for its timeline.
    """
    adaptation = ET.SubElement(
        period,
        "AdaptationSet",
        id=str(TRICKS),
        profiles=profile,
        contentType="video",
        mimeType="video/mp4",
        segmentAlignment="true",
        startWithSAP="1",
    )
    ET.SubElement(adaptation, "EssentialProperty", schemeIdUri=TRICK_MODE, value=plays_for)
    representation = ET.SubElement(
        adaptation,
        "Representation",
        id=f"{rung.id}-first",
        codecs=rung.codecs,
        bandwidth=str(bandwidth),
        width=str(rung.width),
        height=str(rung.height),
        sar="1:1",
        frameRate=str(1 / pictures[0].duration),
        maxPlayoutRate=FASTEST,
        codingDependency="false",
    )
    information = ET.SubElement(representation, "SegmentList", timescale=str(pictures[0].timescale))
    ET.SubElement(information, "Initialization", sourceURL=init)
    return information


def trick_ranges(information: ET.Element, pictures: Sequence[Segment], uri: Uri) -> None:
    """Follows the timeline in the schema's sequence."""
    for each in pictures:
        where = f"0-{each.bytes - 1}"
        ET.SubElement(information, "SegmentURL", media=uri(each.name), mediaRange=where)
