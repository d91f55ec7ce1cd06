"""HLS and DASH text from the plan and the receipts of what was encoded. Pure functions.

`hls` follows RFC 8216bis, `dash` ISO/IEC 23009-1. Every name that appears in a manifest goes through
the caller's `uri`: it gets names relative to the media's prefix (`v1080/3-1.m4s`) or, in a multivariant
playlist, the name of a media playlist (`v1080.m3u8`), and returns what the manifest shall say.
"""

from academy.playlists.dash import DASH_TYPE, mpd
from academy.playlists.final import Manifests, final_manifests
from academy.playlists.hls import HLS_TYPE, media_playlist, multivariant, playlist_name
from academy.playlists.tracks import (
    Segment,
    Uri,
    contiguous,
    target_duration,
    track_rendition,
)

__all__ = [
    "DASH_TYPE",
    "HLS_TYPE",
    "Manifests",
    "Segment",
    "Uri",
    "contiguous",
    "final_manifests",
    "media_playlist",
    "mpd",
    "multivariant",
    "playlist_name",
    "target_duration",
    "track_rendition",
]
