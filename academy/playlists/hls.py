"""HLS playlists (RFC 8216bis). CMAF segments, an audio group shared by all video rungs.

After the variants with pictures comes one of sound alone, for networks that carry nothing else
(Apple's authoring specification, 9.16), then the I-frame playlists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from academy.media import AudioRendition, CaptionTrack, MediaPlan, Receipt, Rendition
from academy.playlists.captions import SUBTITLES_GROUP, caption_group
from academy.playlists.iframes import has_iframes, iframe_stream
from academy.playlists.tracks import (
    Uri,
    complete,
    contiguous,
    extinf_lengths,
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
    captions: Sequence[CaptionTrack] = (),
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
    lines += caption_group(captions, uri)
    shown = f',SUBTITLES="{SUBTITLES_GROUP}"' if captions else ""
    for rung in _best_start_first(video):
        lines += [_variant(rung, audio, plan, shown), uri(playlist_name(rung.id))]
    if audio:
        group = f',AUDIO="{AUDIO_GROUP}"' if video else ""
        lines += [_audio_variant(audio, group + shown), uri(playlist_name(audio.id))]
    if final:
        lines += [
            iframe_stream(rung, plan, receipts, uri=uri)
            for rung in video
            if has_iframes(rung.id, receipts)
        ]
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
    for segment, length in zip(segments, extinf_lengths(segments), strict=True):
        lines += [f"#EXTINF:{length},", uri(segment.name)]
    if final:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _best_start_first(video: Sequence[Rendition]) -> list[Rendition]:
    """Best first, but led by the best one that most links carry."""
    ranked = sorted(video, key=lambda rung: rung.peak_bandwidth, reverse=True)
    ranked.sort(key=lambda rung: rung.height or 0, reverse=True)
    # Led by H.264: what comes first must play everywhere.
    common = [rung for rung in ranked if rung.codecs.startswith("avc")] or ranked
    comfortable = [rung for rung in common if rung.average_bandwidth <= COMFORTABLE]
    lead = comfortable[0] if comfortable else (common[-1] if common else None)
    ranked.sort(key=lambda rung: rung is not lead)
    return ranked


def _audio_group(audio: AudioRendition, uri: Uri, language: str | None) -> str:
    tongue = f'LANGUAGE="{language}",' if language else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",{tongue}NAME="{language or "audio"}",'
        f'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="{audio.channels}",'
        f'URI="{uri(playlist_name(audio.id))}"'
    )


def _variant(rung: Rendition, audio: Rendition | None, plan: MediaPlan, shown: str) -> str:
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
        f"VIDEO-RANGE=SDR{group}{shown},CLOSED-CAPTIONS=NONE"
    )


def _audio_variant(audio: Rendition, groups: str) -> str:
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={audio.peak_bandwidth},"
        f'AVERAGE-BANDWIDTH={audio.average_bandwidth},CODECS="{audio.codecs}"'
        f"{groups},CLOSED-CAPTIONS=NONE"
    )
