"""Caption tracks in HLS: a subtitles group of one-segment WebVTT playlists (RFC 8216bis, 4.4.6.1, 3.1.4).

Each track is one file of the whole length. Its cues count from 0 as the picture does, so that no
X-TIMESTAMP-MAP is needed and the same file serves `<track>` elements and DASH.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import ceil
from typing import Final

from academy.media import CaptionTrack, MediaPlan
from academy.playlists.tracks import Uri, microseconds

SUBTITLES_GROUP: Final = "subtitles"
HEARD: Final = (
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
)


def caption_playlist_name(track: CaptionTrack) -> str:
    """What `multivariant` passes to `uri`, such as `captions-zh.m3u8`."""
    kind = "captions" if track.kind == "captions" else "subtitles"
    return f"{kind}-{track.language}.m3u8"


def caption_group(tracks: Sequence[CaptionTrack], uri: Uri) -> Iterator[str]:
    """The EXT-X-MEDIA lines. Nothing is shown unless the viewer asks, or asked the system for captions."""
    names: set[str] = set()
    for track in tracks:
        # NAME must be unique within the group.
        name = track.label.replace('"', "'").replace("\n", " ")
        name = name if name not in names else f"{name} ({track.language})"
        names.add(name)
        heard = f',CHARACTERISTICS="{HEARD}"' if track.kind == "captions" else ""
        yield (
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{SUBTITLES_GROUP}",'
            f'LANGUAGE="{track.language}",NAME="{name}",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO'
            f'{heard},URI="{uri(caption_playlist_name(track))}"'
        )


def caption_playlist(plan: MediaPlan, track: CaptionTrack, *, version: int, uri: Uri) -> str:
    """One segment of the whole length. Subtitles of a VOD may have a target duration of their own (6.2.4)."""
    length = plan.grid.duration
    exact = Decimal(microseconds(length)).scaleb(-6)
    return (
        "#EXTM3U\n"
        f"#EXT-X-VERSION:{version}\n"
        f"#EXT-X-TARGETDURATION:{max(1, ceil(length))}\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        f"#EXTINF:{exact},\n"
        f"{uri(track.name)}\n"
        "#EXT-X-ENDLIST\n"
    )
