"""A short lecture that the real pipeline encoded once, put into a site as far as a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from academy.courses import Course, Lecture
from academy.jobs import Job
from academy.media import Media, MediaPlan, Publication, Receipt, media_prefix
from academy.mongo.journal import MongoJournal
from academy.recordings import Inspection
from tests.documents import a_course, a_lecture, a_recording_of
from tests.encoder import encoder
from tests.portal.site import Site
from transcoding import profiles
from transcoding.directory import SOURCE_KEY, DirectoryLedger, DirectoryStore
from transcoding.engine import open_engine
from transcoding.pipeline import Assignment, transcode

LADDER = """
small:
  segment_seconds: 2
  frame_rate: {least: 5, most: 30}
  video:
    - {size: 360, crf: 30, max_rate: 900000, buffer: 1800000, preset: ultrafast, profile: high, level: "3.0"}
    - {size: 180, crf: 30, max_rate: 300000, buffer: 600000, preset: ultrafast, profile: high, level: "3.0"}
  audio: {stereo: 64000, mono: 64000, loudness: -16}
"""
STILL_SECONDS = 4
STILL = (160, 90)
TYPES = {".m4s": "video/iso.segment", ".mp4": "video/mp4", ".mpd": "application/dash+xml"}


@dataclass(frozen=True)
class Film:
    """`files` are the media's objects; two rungs (360, 180) and sound, segments of two seconds."""

    folder: Path
    plan: MediaPlan
    inspection: Inspection
    receipts: Sequence[Receipt]
    publication: Publication

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


async def make_film(folder: Path, recording: Path) -> Film:
    ladder = folder / "small.yaml"
    ladder.write_text(LADDER)
    ledger = DirectoryLedger(folder / "media", recording, "small")
    store = DirectoryStore(ledger.root, recording)
    async with open_engine(workers=1) as engine:
        publication = await transcode(
            Assignment(
                source_key=SOURCE_KEY,
                filename=recording.name,
                attempt=ledger.attempt,
                workspace=lambda _: ledger.reference,
                prefix=lambda _: "",
            ),
            engine=engine,
            storage=store,
            ledger=ledger,
            ffmpeg=encoder(),
            profile=profiles.load(str(ladder)),
        )
    receipts = await ledger.receipts("")
    plan = MediaPlan.model_validate_json((ledger.root / ".academy" / "plan").read_text())
    ledger.finish([receipt.name for receipt in receipts])
    store.tidy()
    assert ledger.inspection is not None
    _draw_stills(ledger.root, publication.duration)
    publication = publication.model_copy(
        update={"poster": "poster.jpg", "storyboard": "storyboard.vtt"}
    )
    return Film(ledger.root, plan, ledger.inspection, receipts, publication)


def _draw_stills(folder: Path, duration: float) -> None:
    """A poster, and a storyboard of one row of numbered tiles."""
    width, height = STILL
    count = int(duration // STILL_SECONDS) + 1
    sprite = Image.new("RGB", (width * count, height), "#1b2c38")
    cues = ["WEBVTT"]
    for index in range(count):
        ImageDraw.Draw(sprite).text((index * width + 70, 38), str(index), fill="white")
        start, end = index * STILL_SECONDS, (index + 1) * STILL_SECONDS
        cues.append(
            f"00:00:{start:02}.000 --> 00:00:{end:02}.000\n"
            f"sprite.jpg#xywh={index * width},0,{width},{height}"
        )
    sprite.save(folder / "sprite.jpg")
    sprite.crop((0, 0, width, height)).save(folder / "poster.jpg")
    (folder / "storyboard.vtt").write_text("\n\n".join(cues) + "\n")


@dataclass
class Screening:
    """One lecture of a site whose job this test works on, in the dispatcher's place."""

    site: Site
    film: Film
    course: Course
    lecture: Lecture
    job: Job
    media: Media
    shown: set[str] = field(default_factory=set)

    async def show(self, segments: int) -> None:
        """Stores and records what makes so many segments of every track playable."""
        wanted = [each for each in self.film.receipts if each.number < segments]
        await asyncio.to_thread(self._store, [each.name for each in wanted])
        lease = self.job.lease
        assert lease is not None
        settings = self.site.settings
        journal = MongoJournal(
            settings.require_mongodb_url(),
            settings.mongodb_database,
            media_id=self.media.id,
            job_id=self.job.id,
            token=lease.token,
        )
        await self.site.stores.jobs.extend(self.job)
        await asyncio.to_thread(journal.record, wanted)

    async def finish(self) -> None:
        """Everything, and the publication."""
        await self.show(self.film.plan.grid.segment_count)
        names = [path.relative_to(self.film.folder).as_posix() for path in self.film.files]
        await asyncio.to_thread(self._store, names)
        await self.site.stores.jobs.succeed(self.job, self.film.publication)

    def _store(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.shown:
                path = self.film.folder / name
                kind = TYPES.get(path.suffix) or _kind_of(path)
                self.site.storage.put(media_prefix(self.media.id) + name, path, content_type=kind)
                self.shown.add(name)


def _kind_of(path: Path) -> str:
    return {
        ".m3u8": "application/vnd.apple.mpegurl",
        ".vtt": "text/vtt",
        ".jpg": "image/jpeg",
    }[path.suffix]


async def begin_screening(
    site: Site, film: Film, lecture: Lecture | None = None, *, later: Sequence[str] = ()
) -> Screening:
    """A published lecture (a new one unless given) with a running job and a frozen plan, whose rungs
    named in `later` do not grow.
    """
    stores = site.stores
    if lecture is None:
        lecture = await a_published_lecture(site, {"en": "The lecture", "zh": "讲座"})
    recording = await a_recording_of(stores, lecture)
    job = await stores.jobs.claim_next("this test")
    assert job is not None
    assert job.recording_id == recording.id
    await stores.jobs.inspected(job, film.inspection)
    media = await stores.jobs.freeze(
        job,
        Media(
            recording_id=recording.id,
            lecture_id=lecture.id,
            job_id=job.id,
            number=job.number,
            plan=film.plan.model_copy(update={"later": list(later)}),
        ),
    )
    course = await stores.courses.get(lecture.course)
    return Screening(site, film, course, lecture, job, media)


async def a_published_lecture(
    site: Site, title: dict[str, str], course: str | None = None
) -> Lecture:
    courses = site.stores.courses
    if course is None:
        new = a_course(
            title={"en": "The course", "zh": "课程"}, published_at="2026-09-01T00:00:00Z"
        )
        await courses.add(new)
        course = new.slug
    return await courses.add_lecture(a_lecture(course, title=title, published=True))
