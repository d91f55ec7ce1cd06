"""What a viewer gets of a lecture: the state, derived, and the addresses of what plays."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from academy import path_tokens
from academy.courses import Course, Lecture
from academy.growing import GrowingMedia, Snapshot
from academy.jobs import Job, JobState
from academy.keys import KeyRing
from academy.media import (
    PlaybackState,
    Publication,
    Rendition,
    media_prefix,
    playback_state,
)
from academy.recordings import Recording
from academy.stores import Stores

GROWING = "growing/main.m3u8"
"""Below a media's path token."""


class Chapter(BaseModel):
    """`start` and `end` in seconds."""

    model_config = ConfigDict(frozen=True)

    start: float
    end: float
    title: str | dict[str, str]
    """In the reader's language; a map by language where all are asked for."""
    thumbnail: str | None = None
    """Address of a JPEG."""


class Caption(BaseModel):
    """`kind` is `subtitles`, or `captions`, which also tell what can be heard. `url`: WebVTT."""

    model_config = ConfigDict(frozen=True)

    language: str
    label: str
    kind: str
    url: str


class Playback(BaseModel):
    """`streaming`: playable now from the start, still growing. Durations in seconds."""

    model_config = ConfigDict(frozen=True)

    state: PlaybackState = PlaybackState.NONE
    hls: str | None = None
    dash: str | None = None
    duration: float | None = None
    available_duration: float | None = None
    """How much can be played already."""
    poster: str | None = None
    storyboard: str | None = None
    """WebVTT whose cues name regions of sprite images."""
    chapters: list[Chapter] = Field(default_factory=list)
    captions: list[Caption] = Field(default_factory=list)
    renditions: list[Rendition] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Where media are read: through a CDN once published, else through path tokens."""

    keys: KeyRing
    public_url: str
    public_media_url: str | None = None
    clock: Callable[[], float] = time.time

    def base(self, media_id: str, *, public: bool) -> str:
        """Without a trailing slash; names below the media's prefix follow it."""
        if public and self.public_media_url is not None:
            return f"{self.public_media_url}/{media_prefix(media_id)}".rstrip("/")
        return self.with_token(path_tokens.issue(self.keys, media_id, at=self.clock()))

    def change_at(self, *, public: bool) -> float | None:
        """When `base` makes another address of the same media, in Unix seconds; None for never."""
        if public and self.public_media_url is not None:
            return None
        return path_tokens.bucket_end(self.clock())

    def with_token(self, token: str) -> str:
        return f"{self.public_url}/v1/media/{token}"

    def media_of(self, token: str) -> str:
        """The media a token was made for. NotFound or Gone."""
        return path_tokens.verify(self.keys, token, at=self.clock())


@dataclass(frozen=True, slots=True)
class Viewing:
    stores: Stores
    links: MediaLinks
    growing: GrowingMedia

    async def playback(self, lecture: Lecture, course: Course) -> Playback:
        if lecture.media is not None:
            media = await self.stores.media.get(lecture.media.media_id)
            public = lecture.published and course.published
            return self.of_publication(media.id, media.publication, public=public)
        recording, job = await self._newest(lecture)
        if job is not None and job.state is JobState.SUCCEEDED:
            # It was published between the two reads.
            renewed = await self.stores.courses.lecture(lecture.id)
            return await self.playback(renewed, course) if renewed.media else Playback()
        snapshot = await self._snapshot(job)
        state = playback_state(lecture, job, snapshot.available if snapshot else None)
        length = _length(recording, snapshot)
        if state is not PlaybackState.STREAMING or snapshot is None:
            return Playback(state=state, duration=length)
        # Growing playlists are rendered by the API, so a CDN in front of storage has none.
        base = self.links.base(snapshot.media.id, public=False)
        return Playback(
            state=state,
            hls=f"{base}/{GROWING}",
            duration=length,
            available_duration=snapshot.available.duration,
        )

    def of_publication(
        self, media_id: str, publication: Publication | None, *, public: bool
    ) -> Playback:
        """What a lecture plays once it has media. `public`: lecture and course are published."""
        return _final(publication, self.links.base(media_id, public=public))

    async def playable(self, lecture: Lecture) -> bool:
        """Whether there is something to play now, without building addresses."""
        if lecture.media is not None or not lecture.uploads_begun:
            return lecture.media is not None
        _, job = await self._newest(lecture)
        snapshot = await self._snapshot(job)
        growing = snapshot.available if snapshot else None
        return playback_state(lecture, job, growing) is PlaybackState.STREAMING

    async def _newest(self, lecture: Lecture) -> tuple[Recording | None, Job | None]:
        if not lecture.uploads_begun:
            return None, None
        recording = await self.stores.recordings.newest(lecture.id)
        return recording, await self.stores.jobs.newest(recording.id) if recording else None

    async def _snapshot(self, job: Job | None) -> Snapshot | None:
        """Receipts are read only while a job runs that has frozen its plan."""
        if job is None or not job.active or job.media_id is None:
            return None
        return await self.growing.snapshot(job.media_id)


def _final(publication: Publication | None, base: str) -> Playback:
    if publication is None:
        return Playback(state=PlaybackState.PROCESSING)
    return Playback(
        state=PlaybackState.READY,
        hls=f"{base}/{publication.hls}",
        dash=f"{base}/{publication.dash}",
        duration=publication.duration,
        available_duration=publication.duration,
        poster=_below(base, publication.poster),
        storyboard=_below(base, publication.storyboard),
        chapters=[
            Chapter(
                start=chapter.start,
                end=chapter.end,
                title=chapter.title,
                thumbnail=_below(base, chapter.thumbnail),
            )
            for chapter in publication.chapters
        ],
        captions=[
            Caption(
                language=track.language,
                label=track.label,
                kind=track.kind,
                url=f"{base}/{track.name}",
            )
            for track in publication.captions
        ],
        renditions=publication.renditions,
    )


def _below(base: str, name: str | None) -> str | None:
    return None if name is None else f"{base}/{name}"


def _length(recording: Recording | None, snapshot: Snapshot | None) -> float | None:
    if snapshot is not None:
        return float(snapshot.media.plan.grid.duration)
    if recording is not None and recording.inspection is not None:
        return recording.inspection.duration
    return None
