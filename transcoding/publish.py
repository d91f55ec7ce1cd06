"""Writes what turns segments into a lecture: final manifests, poster, storyboard. Blocking.

All names lie under `r{revision}/` and never change; nothing refers to them until the owner flips its
reference, so a crash in between costs some objects and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from academy.media import MediaPlan, Publication, Receipt
from academy.playlists import final_manifests
from academy.stores import ObjectStore
from transcoding.delivery import CACHE_CONTROL
from transcoding.stills import make_stills
from transcoding.storyboard import webvtt

REVISION: Final = 1


@dataclass(frozen=True, slots=True)
class Publisher:
    """One media's place in the storage. `prefix` is empty or ends in `/`."""

    storage: ObjectStore
    prefix: str
    revision: int = REVISION

    def publish(
        self,
        plan: MediaPlan,
        receipts: Sequence[Receipt],
        *,
        language: str | None,
        cancelled: Callable[[], bool],
    ) -> Publication:
        """Raises Conflict while segments are missing, Unavailable, Cancelled."""
        poster, storyboard = self._stills(plan, receipts, cancelled)
        manifests = final_manifests(plan, receipts, revision=self.revision, language=language)
        for name, text in manifests.files.items():
            self._put(name, text.encode(), manifests.content_type(name))
        return Publication(
            revision=self.revision,
            hls=manifests.hls,
            dash=manifests.dash,
            poster=poster,
            storyboard=storyboard,
            duration=manifests.duration,
            renditions=manifests.renditions,
        )

    def _stills(
        self, plan: MediaPlan, receipts: Sequence[Receipt], cancelled: Callable[[], bool]
    ) -> tuple[str | None, str | None]:
        """Names of the poster and of the storyboard's WebVTT."""
        names = {(receipt.track, receipt.number): receipt.name for receipt in receipts}

        def read(track: str, number: int) -> bytes:
            return b"".join(self.storage.read(self.prefix + names[track, number]))

        stills = make_stills(plan, read, cancelled=cancelled)
        if stills is None:
            return None, None
        poster = self._put(f"r{self.revision}/poster.jpg", stills.poster, "image/jpeg")
        sheets = [f"storyboard-{number}.jpg" for number in range(len(stills.sheets))]
        for name, sheet in zip(sheets, stills.sheets, strict=True):
            self._put(f"r{self.revision}/{name}", sheet, "image/jpeg")
        cues = webvtt(stills.board, sheets).encode()
        return poster, self._put(f"r{self.revision}/storyboard.vtt", cues, "text/vtt")

    def _put(self, name: str, data: bytes, content_type: str) -> str:
        self.storage.put(
            self.prefix + name, data, content_type=content_type, cache_control=CACHE_CONTROL
        )
        return name
