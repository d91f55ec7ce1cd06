"""A lecture's captions: taken in, and brought to whatever media the lecture plays.

Captions belong to the lecture, so they come before, during or after transcoding and outlive a replaced
recording. What was given is recorded together with a mark that the lecture is due; `settle` then writes
the text beside the media, publishes the manifests' next revision by compare-and-set, makes the cues
findable and takes the mark away. After a crash anywhere `settle_due` does it again: every step may be
repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from academy.access import Access
from academy.caption_files import read_captions
from academy.captions import CaptionFile, normalised, searchable, webvtt
from academy.courses import Lecture
from academy.endonyms import endonym
from academy.errors import AcademyError, Conflict, Invalid, NotFound, ObjectNotFound
from academy.ids import new_id
from academy.localised import LanguageTag
from academy.media import CaptionTrack, Media, MediaPlan, Publication, Receipt, media_prefix
from academy.object_stores import Storage
from academy.playlists import final_manifests
from academy.search.entries import Cue
from academy.stores import Stores

log = logging.getLogger(__name__)

CACHE_CONTROL: Final = "public, max-age=86400, immutable"
MOST_LANGUAGES: Final = 40
"""Of one lecture: each costs every player a line in its manifest."""
MOST_RACES: Final = 8


@dataclass(frozen=True, slots=True)
class Accepted:
    """`changes`: how many cues normalising changed, by what it did; `playing`: in the manifests already."""

    file: CaptionFile
    changes: dict[str, int]
    playing: bool


@dataclass(frozen=True, slots=True)
class Captioning:
    """Every method raises Unauthenticated, Forbidden or NotFound as `Access` decides."""

    access: Access
    stores: Stores
    storage: Storage

    async def put(
        self,
        lecture_id: str,
        language: LanguageTag,
        data: bytes,
        *,
        kind: Literal["subtitles", "captions"],
        label: str | None,
    ) -> Accepted:
        """Replaces what there is in this language. Invalid with the line that cannot be read."""
        lecture, _ = await self.access.lecture_to_write(lecture_id)
        others = [
            each.language
            for each in await self.stores.captions.of(lecture_id)
            if not each.removed and each.language != language
        ]
        if len(others) >= MOST_LANGUAGES:
            raise Conflict(
                f"This lecture has captions in {len(others)} languages: remove one before adding another."
            )
        # Charset detection and parsing of a megabyte take a while.
        cues, changes = await asyncio.to_thread(
            lambda: normalised(read_captions(data), duration=lecture.duration)
        )
        if not cues:
            raise Invalid(
                "No cue of this file can be shown: all are empty or begin after the lecture's end.",
                code="bad_captions",
            )
        file = CaptionFile(
            lecture_id=lecture_id,
            language=language,
            label=" ".join((label or "").split()) or endonym(language),
            kind=kind,
            webvtt=webvtt(cues),
            cues=len(cues),
            uploaded_by=self.access.person().subject,
        )
        await self.stores.captions.put(file)
        return Accepted(file, dict(changes), await self._settled(lecture_id))

    async def remove(self, lecture_id: str, language: LanguageTag) -> None:
        """Repeatable. Also hides what the recording itself brought along in this language."""
        await self.access.lecture_to_write(lecture_id)
        file = CaptionFile(
            lecture_id=lecture_id,
            language=language,
            label=endonym(language),
            webvtt="",
            cues=0,
            removed=True,
            uploaded_by=self.access.person().subject,
        )
        await self.stores.captions.put(file)
        await self._settled(lecture_id)

    async def given(self, lecture_id: str) -> Sequence[CaptionFile]:
        """What was uploaded, by language."""
        await self.access.lecture_to_write(lecture_id)
        return [each for each in await self.stores.captions.of(lecture_id) if not each.removed]

    async def _settled(self, lecture_id: str) -> bool:
        try:
            return await settle(lecture_id, self.stores, self.storage)
        except AcademyError as error:
            # Recorded and marked as due: the next round brings it to the media.
            log.warning("captions of lecture %s wait: %s", lecture_id, error)
            return False


async def settle_due(stores: Stores, storage: Storage) -> int:
    """Brings waiting captions to the media. How many lectures. In any number of processes."""
    settled = 0
    for lecture_id in await stores.captions.due():
        try:
            await settle(lecture_id, stores, storage)
            settled += 1
        except AcademyError as error:
            log.warning("captions of lecture %s wait: %s", lecture_id, error)
    return settled


async def settle(lecture_id: str, stores: Stores, storage: Storage) -> bool:
    """Whether the lecture's media have the captions now; False while there are no media.

    Raises NotFound, Unavailable; Conflict when others were faster again and again.
    """
    version = await stores.captions.version(lecture_id)
    files = {file.language: file for file in await stores.captions.of(lecture_id)}
    lecture = await stores.courses.lecture(lecture_id)
    tracks: Sequence[CaptionTrack] = ()
    media: Media | None = None
    if lecture.media is not None:
        media = await stores.media.get(lecture.media.media_id)
        tracks = await _published(media.id, lecture, files, stores, storage)
    spoken: dict[str, Sequence[Cue]] = {
        file.language: await asyncio.to_thread(_cues, file.webvtt.encode())
        for file in files.values()
        if not file.removed
    }
    for track in tracks:
        if media is not None and track.language not in spoken:
            spoken[track.language] = await _embedded(media.id, track, storage)
    for language in await stores.captions.indexed(lecture_id) - set(spoken):
        await stores.search.index_captions(lecture_id, language, [])
    # Noted first: what is indexed must be known when it is to go.
    await stores.captions.indexing(lecture_id, set(spoken))
    for language, cues in spoken.items():
        await stores.search.index_captions(lecture_id, language, cues)
    await stores.captions.settled(lecture_id, version)
    return media is not None


async def _published(
    media_id: str,
    lecture: Lecture,
    files: dict[str, CaptionFile],
    stores: Stores,
    storage: Storage,
) -> Sequence[CaptionTrack]:
    """The tracks of the media's newest revision, which is a new one unless it had them."""
    for _ in range(MOST_RACES):
        media = await stores.media.get(media_id)
        current = media.publication
        if current is None:
            return ()
        tracks = [
            *(track for track in current.captions if _stays(track, files)),
            *(_track(file) for file in files.values() if not file.removed),
        ]
        if tracks == current.captions:
            return tracks
        receipts = await stores.media.receipts(media_id)
        publication = await asyncio.to_thread(
            _write, storage, media, current, tracks, files, receipts, lecture.language
        )
        try:
            await stores.media.revise(media_id, publication)
        except Conflict:
            continue  # another revision came in between: once more, on top of it
        return tracks
    raise Conflict("These media change too often just now: try again.")


def _stays(track: CaptionTrack, files: dict[str, CaptionFile]) -> bool:
    """Whether a track is the recording's own and nobody has said anything about its language.

    Tracks of ours are always named anew, from what is recorded.
    """
    return track.language not in files and not track.name.startswith("captions/")


def _track(file: CaptionFile) -> CaptionTrack:
    digest = hashlib.sha256(file.webvtt.encode()).hexdigest()[:16]
    return CaptionTrack(
        language=file.language,
        label=file.label,
        kind=file.kind,
        name=f"captions/{file.language}-{digest}.vtt",
    )


def _write(
    storage: Storage,
    media: Media,
    current: Publication,
    tracks: Sequence[CaptionTrack],
    files: dict[str, CaptionFile],
    receipts: Sequence[Receipt],
    language: str,
) -> Publication:
    """Texts first, then manifests; nothing refers to either until the revision is switched. Blocking."""
    prefix = media_prefix(media.id)
    for track in tracks:
        if track.name.startswith("captions/"):
            storage.put(
                prefix + track.name,
                files[track.language].webvtt.encode(),
                content_type="text/vtt",
                cache_control=CACHE_CONTROL,
            )
    plan = published_plan(media.plan, current)
    manifests = final_manifests(
        plan,
        [each for each in receipts if each.number < plan.grid.segment_count],
        revision=current.revision + 1,
        # Others may write the same revision at this moment; one of us wins.
        mark=f"-{new_id()[:6]}",
        language=language,
        captions=tracks,
        sheets=current.sheets,
    )
    for name, text in manifests.files.items():
        storage.put(
            prefix + name,
            text.encode(),
            content_type=manifests.content_type(name),
            cache_control=CACHE_CONTROL,
        )
    return current.model_copy(
        update={
            "revision": current.revision + 1,
            "hls": manifests.hls,
            "dash": manifests.dash,
            "captions": list(tracks),
        }
    )


def published_plan(plan: MediaPlan, publication: Publication) -> MediaPlan:
    """The plan as far as it was published: without rungs still to come, and as long as the source was."""
    there = {rendition.id for rendition in publication.renditions}
    frames = round(publication.duration * plan.grid.frame_rate.fraction)
    return plan.model_copy(
        update={
            "video": [rung for rung in plan.video if rung.id in there],
            "audio": plan.audio if plan.audio is not None and plan.audio.id in there else None,
            "later": [],
            "grid": plan.grid.model_copy(update={"frames": min(plan.grid.frames, frames)}),
        }
    )


def _cues(data: bytes) -> list[Cue]:
    return list(searchable(normalised(read_captions(data))[0]))


async def _embedded(media_id: str, track: CaptionTrack, storage: Storage) -> Sequence[Cue]:
    """Of a track that the recording brought along; none of one that cannot be read."""

    def read() -> list[Cue]:
        return _cues(b"".join(storage.read(media_prefix(media_id) + track.name)))

    try:
        return await asyncio.to_thread(read)
    except (Invalid, ObjectNotFound, NotFound):
        log.warning("captions %s of media %s cannot be read", track.name, media_id)
        return ()
