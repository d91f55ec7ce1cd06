"""The manifests of a finished media, as they are stored under `r{revision}/` and never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from academy.media import CaptionTrack, MediaPlan, Receipt, Rendition, StoryboardSheets
from academy.playlists.captions import caption_playlist, caption_playlist_name
from academy.playlists.dash import DASH_TYPE, mpd
from academy.playlists.hls import HLS_TYPE, VERSION, media_playlist, multivariant, playlist_name
from academy.playlists.iframes import has_iframes, iframe_playlist, iframe_playlist_name
from academy.playlists.tracks import track_rendition


@dataclass(frozen=True, slots=True)
class Manifests:
    """`files`: text by name below the media's prefix. `hls` and `dash` name the two entries."""

    files: dict[str, str]
    hls: str
    dash: str
    duration: float
    """Seconds."""
    renditions: list[Rendition]

    @staticmethod
    def content_type(name: str) -> str:
        return HLS_TYPE if name.endswith(".m3u8") else DASH_TYPE


def final_manifests(
    plan: MediaPlan,
    receipts: Sequence[Receipt],
    *,
    revision: int = 1,
    mark: str = "",
    language: str | None = None,
    captions: Sequence[CaptionTrack] = (),
    sheets: StoryboardSheets | None = None,
) -> Manifests:
    """Everything a player needs, with relative URIs only, so that a media plays wherever it lies.

    They lie under `r{revision}{mark}/`: whoever may lose the race for a revision gives a mark of its own,
    so that it overwrites nothing. `language` is the audio's; at most one caption track per language and kind.
    Conflict while segments are missing.
    """
    folder = f"r{revision}{mark}/"
    hls, dash = folder + "main.m3u8", folder + "main.mpd"
    files = {
        hls: multivariant(
            plan, receipts, uri=str, final=True, language=language, captions=captions
        ),
        dash: mpd(
            plan,
            receipts,
            uri=_from_revision,
            language=language,
            captions=captions,
            sheets=sheets,
        ),
    }
    for track in (rung.id for rung in plan.video):
        if has_iframes(track, receipts):
            files[folder + iframe_playlist_name(track)] = iframe_playlist(
                plan, track, receipts, version=VERSION, uri=_from_revision
            )
    for caption in captions:
        files[folder + caption_playlist_name(caption)] = caption_playlist(
            plan, caption, version=VERSION, uri=_from_revision
        )
    for track in plan.tracks:
        files[folder + playlist_name(track)] = media_playlist(
            plan, track, receipts, uri=_from_revision, final=True
        )
    return Manifests(
        files=files,
        hls=hls,
        dash=dash,
        duration=float(plan.grid.duration),
        renditions=[track_rendition(plan, track, receipts) for track in plan.tracks],
    )


def _from_revision(name: str) -> str:
    return f"../{name}"
