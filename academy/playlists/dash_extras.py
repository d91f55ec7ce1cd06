"""What a DASH manifest holds besides picture and sound: caption files and storyboard sheets.

Captions are whole WebVTT files (ISO/IEC 23009-1, 5.3.7); sheets are DASH-IF thumbnail tiles
(Guidelines, part 7, 3.2.9): one JPEG per `columns`x`rows` tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET  # writes only, nothing is parsed

from academy.media import CaptionTrack, MediaPlan, StoryboardSheets
from academy.playlists.tracks import Uri

ROLE: Final = "urn:mpeg:dash:role:2011"
TILES: Final = "http://dashif.org/guidelines/thumbnail_tile"
FIRST_CAPTIONS: Final = 10
THUMBNAILS: Final = 9
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
