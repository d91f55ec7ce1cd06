"""Writes what turns segments into a lecture: final manifests and what illustrates them. Blocking.

All names lie under `r{revision}/` and never change; nothing refers to them until the owner flips its
reference, so a crash in between costs some objects and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from academy.ids import new_id
from academy.media import CaptionTrack, MediaPlan, Publication, Receipt
from academy.object_stores import ObjectStore
from academy.playlists import final_manifests
from transcoding.delivery import CACHE_CONTROL
from transcoding.illustrations import Stored, illustrate
from transcoding.subtitles import Extracted


@dataclass(frozen=True, slots=True)
class Publisher:
    """One media's place in the storage. `prefix` is empty or ends in `/`."""

    storage: ObjectStore
    prefix: str
    texts: Sequence[Extracted] = ()
    """Subtitles that the recording brought along."""

    def publish(
        self,
        plan: MediaPlan,
        receipts: Sequence[Receipt],
        current: Publication | None,
        *,
        language: str | None,
        cancelled: Callable[[], bool],
    ) -> Publication:
        """The revision after `current`, with the pictures and texts that one has.

        Raises Conflict while segments are missing, Unavailable, Cancelled.
        """
        before = current or self._pictures(plan, receipts, cancelled)
        revision = before.revision + 1
        manifests = final_manifests(
            plan,
            receipts,
            revision=revision,
            # The first one is written under the lease; for later ones captions may race us.
            mark=f"-{new_id()[:6]}" if current else "",
            language=language,
            captions=before.captions,
            sheets=before.sheets,
        )
        for name, text in manifests.files.items():
            self._put(name, text.encode(), manifests.content_type(name))
        return before.model_copy(
            update={
                "revision": revision,
                "hls": manifests.hls,
                "dash": manifests.dash,
                "duration": manifests.duration,
                "renditions": manifests.renditions,
            }
        )

    def _pictures(
        self, plan: MediaPlan, receipts: Sequence[Receipt], cancelled: Callable[[], bool]
    ) -> Publication:
        """Poster, storyboard and chapters, in a publication that has no manifests yet."""
        seen = illustrate(
            plan,
            Stored.of(self.storage, self.prefix, receipts),
            self._put,
            "r1/",
            cancelled=cancelled,
        )
        return Publication(
            revision=0,
            hls="",
            dash="",
            poster=seen.poster,
            storyboard=seen.storyboard,
            sheets=seen.sheets,
            chapters=seen.chapters,
            captions=[self._caption(text) for text in self.texts],
            duration=0.0,
            renditions=[],
        )

    def _caption(self, text: Extracted) -> CaptionTrack:
        name = f"r1/{text.kind}-{text.language}.vtt"
        return CaptionTrack(
            language=text.language,
            label=text.label,
            kind=text.kind,
            name=self._put(name, text.webvtt, "text/vtt"),
        )

    def _put(self, name: str, data: bytes, content_type: str) -> str:
        self.storage.put(
            self.prefix + name, data, content_type=content_type, cache_control=CACHE_CONTROL
        )
        return name
