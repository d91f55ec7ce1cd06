"""I-frame playlists (RFC 8216bis, 4.4.3.6 and 4.4.6.3): the first picture of each segment, for trick play.

They name byte ranges of the very segments that play otherwise, so nothing is stored for them: a range
begins with the segment's `moof` and ends with its first sample. Only final media have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from academy.media import INIT, MediaPlan, Receipt, Rendition
from academy.playlists.tracks import (
    Segment,
    Uri,
    average_bandwidth,
    complete,
    extinf_lengths,
    init_receipt,
    target_duration,
)


def iframe_playlist_name(track: str) -> str:
    """What `multivariant` passes to `uri`, such as `v1080-iframes.m3u8`."""
    return f"{track}-iframes.m3u8"


def has_iframes(track: str, receipts: Sequence[Receipt]) -> bool:
    """Whether the size of the first picture of every recorded segment is known."""
    media = [r for r in receipts if r.track == track and r.number != INIT]
    return bool(media) and all(receipt.key_bytes > 0 for receipt in media)


def iframe_playlist(
    plan: MediaPlan, track: str, receipts: Sequence[Receipt], *, version: int, uri: Uri
) -> str:
    """Conflict while segments are missing, NotFound without an init segment."""
    segments = complete(plan, track, receipts)
    sizes = _key_bytes(track, receipts)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{target_duration(plan)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY",
        f'#EXT-X-MAP:URI="{uri(init_receipt(track, receipts).name)}"',
    ]
    for segment, length in zip(segments, extinf_lengths(segments), strict=True):
        lines += [
            f"#EXTINF:{length},",
            f"#EXT-X-BYTERANGE:{sizes[segment.number]}@0",
            uri(segment.name),
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def iframe_stream(
    rung: Rendition, plan: MediaPlan, receipts: Sequence[Receipt], *, uri: Uri
) -> str:
    """The EXT-X-I-FRAME-STREAM-INF line of one rung. Its BANDWIDTH is the costliest picture's."""
    segments = complete(plan, rung.id, receipts)
    sizes = _key_bytes(rung.id, receipts)
    pictures = [_only(segment, sizes[segment.number]) for segment in segments]
    peak = max(average_bandwidth([picture]) for picture in pictures)
    return (
        f"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={peak},"
        f'AVERAGE-BANDWIDTH={average_bandwidth(pictures)},CODECS="{rung.codecs}",'
        f"RESOLUTION={rung.width}x{rung.height},VIDEO-RANGE=SDR,"
        f'URI="{uri(iframe_playlist_name(rung.id))}"'
    )


def _key_bytes(track: str, receipts: Sequence[Receipt]) -> dict[int, int]:
    return {r.number: r.key_bytes for r in receipts if r.track == track and r.number != INIT}


def _only(segment: Segment, size: int) -> Segment:
    """The segment as an I-frame player sees it: one picture for its whole length."""
    return Segment(
        number=segment.number,
        name=segment.name,
        bytes=size,
        start_ticks=segment.start_ticks,
        ticks=segment.ticks,
        timescale=segment.timescale,
    )
