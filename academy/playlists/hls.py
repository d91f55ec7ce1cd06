"""HLS playlists (RFC 8216bis). CMAF segments, an audio group shared by all video rungs.

I-frame playlists (EXT-X-I-FRAME-STREAM-INF) would stand after the variants in `multivariant`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from academy.media import AudioRendition, MediaPlan, Receipt, Rendition
from academy.playlists.tracks import (
    Segment,
    Uri,
    complete,
    contiguous,
    init_receipt,
    target_duration,
    track_rendition,
)

HLS_TYPE: Final = "application/vnd.apple.mpegurl"
VERSION: Final = 7
"""6 is needed for EXT-X-MAP; Apple's authoring specification asks 7 of fragmented MP4."""
START: Final = "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"
"""In growing playlists: players would begin near the end of what is there otherwise."""
AUDIO_GROUP: Final = "audio"
COMFORTABLE: Final = 2_000_000
"""Bits per second that most links carry: players begin with the first variant of the list."""


def playlist_name(track: str) -> str:
    """What `multivariant` passes to `uri` for a track, such as `v1080.m3u8`."""
    return f"{track}.m3u8"


def multivariant(
    plan: MediaPlan,
    receipts: Sequence[Receipt],
    *,
    uri: Uri,
    final: bool,
    language: str | None = None,
) -> str:
    """The multivariant playlist. `language` is the audio's (BCP 47).

    Bandwidths are measured over the segments there are, so a growing one's are provisional.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if not final:
        lines.append(START)
    audio = track_rendition(plan, plan.audio.id, receipts) if plan.audio else None
    video = [track_rendition(plan, rung.id, receipts) for rung in plan.video]
    if video and plan.audio:
        lines.append(_audio_group(plan.audio, uri, language))
    for rung in _best_start_first(video):
        lines += [_variant(rung, audio, plan), uri(playlist_name(rung.id))]
    if audio and not video:
        lines += [_audio_variant(audio), uri(playlist_name(audio.id))]
    return "\n".join(lines) + "\n"


def media_playlist(
    plan: MediaPlan, track: str, receipts: Sequence[Receipt], *, uri: Uri, final: bool
) -> str:
    """The media playlist of one track: EVENT while it grows, VOD with ENDLIST when final.

    Holds the segments from 0 without a gap. NotFound while there is no init segment;
    Conflict when `final` and segments are missing.
    """
    segments = (complete if final else contiguous)(plan, track, receipts)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_duration(plan)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if final else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *([] if final else [START]),
        f'#EXT-X-MAP:URI="{uri(init_receipt(track, receipts).name)}"',
    ]
    for segment, length in zip(segments, _lengths(segments), strict=True):
        lines += [f"#EXTINF:{length},", uri(segment.name)]
    if final:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def microseconds(time: Fraction) -> int:
    return round(time * 1_000_000)


def _lengths(segments: Sequence[Segment]) -> Iterator[Decimal]:
    """EXTINF to the microsecond: differences of rounded boundaries, so that their sum never drifts."""
    for segment in segments:
        length = microseconds(segment.end) - microseconds(segment.start)
        yield Decimal(length).scaleb(-6)


def _best_start_first(video: Sequence[Rendition]) -> list[Rendition]:
    """Best first, but led by the best one that most links carry."""
    ranked = sorted(video, key=lambda rung: rung.peak_bandwidth, reverse=True)
    ranked.sort(key=lambda rung: rung.height or 0, reverse=True)
    comfortable = [rung for rung in ranked if rung.average_bandwidth <= COMFORTABLE]
    lead = comfortable[0] if comfortable else (ranked[-1] if ranked else None)
    ranked.sort(key=lambda rung: rung is not lead)
    return ranked


def _audio_group(audio: AudioRendition, uri: Uri, language: str | None) -> str:
    tongue = f'LANGUAGE="{language}",' if language else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",{tongue}NAME="{language or "audio"}",'
        f'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="{audio.channels}",'
        f'URI="{uri(playlist_name(audio.id))}"'
    )


def _variant(rung: Rendition, audio: Rendition | None, plan: MediaPlan) -> str:
    """BANDWIDTH is the largest sum of peaks of what plays together (RFC 8216bis 4.4.6.2)."""
    codecs, peak, average = rung.codecs, rung.peak_bandwidth, rung.average_bandwidth
    group = ""
    if audio is not None:
        codecs += "," + audio.codecs
        peak += audio.peak_bandwidth
        average += audio.average_bandwidth
        group = f',AUDIO="{AUDIO_GROUP}"'
    rate = float(plan.grid.frame_rate.fraction)
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},"
        f'CODECS="{codecs}",RESOLUTION={rung.width}x{rung.height},FRAME-RATE={rate:.3f},'
        f"VIDEO-RANGE=SDR{group},CLOSED-CAPTIONS=NONE"
    )


def _audio_variant(audio: Rendition) -> str:
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={audio.peak_bandwidth},"
        f'AVERAGE-BANDWIDTH={audio.average_bandwidth},CODECS="{audio.codecs}",CLOSED-CAPTIONS=NONE'
    )
