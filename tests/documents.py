"""Small valid documents for tests of the stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from academy.courses import Course, Lecture, now
from academy.ids import new_id
from academy.jobs import Job
from academy.media import (
    AudioRendition,
    Chunk,
    Grid,
    Media,
    MediaPlan,
    Publication,
    Receipt,
    Rendition,
    VideoRendition,
)
from academy.mongo.stores import MongoStores
from academy.recordings import Inspection, Ratio, Recording, VideoStream
from academy.uploads import Part, Upload


def a_slug() -> str:
    return f"s{new_id()}"


def a_course(**members: Any) -> Course:
    usual = {"slug": a_slug(), "title": {"en": "A course"}, "language": "en", "owner": "teacher"}
    return Course.model_validate(usual | members)


def a_lecture(course: str, **members: Any) -> Lecture:
    usual = {"course": course, "title": {"en": "One"}, "language": "en", "created_by": "teacher"}
    return Lecture.model_validate(usual | members)


def an_upload(lecture_id: str, number: int, **members: Any) -> Upload:
    """Of three parts of 5, 5 and 2 bytes."""
    usual = {
        "lecture_id": lecture_id,
        "number": number,
        "filename": "lecture.mp4",
        "size": 12,
        "content_type": "video/mp4",
        "part_size": 5,
        "part_count": 3,
        "storage_upload_id": new_id(),
        "created_by": "teacher",
        "expires_at": now() + timedelta(days=7),
    }
    return Upload.model_validate(usual | members)


PARTS = [
    Part(number=number, size=size, etag=f"e{number}") for number, size in enumerate((5, 5, 2), 1)
]

PLAN = MediaPlan(
    grid=Grid(frame_rate=Ratio(num=25), segment_frames=100, frames=250),
    video=[
        VideoRendition(
            id="v360",
            width=640,
            height=360,
            preset="veryfast",
            crf=23,
            max_rate=800_000,
            buffer=1_600_000,
            profile="high",
            level="3.0",
        )
    ],
    audio=AudioRendition(id="a96", channels=2, bit_rate=96_000),
    chunks=[Chunk(index=0, first_segment=0, segments=3)],
    encoder="ffmpeg test",
)

PUBLICATION = Publication(
    hls="r1/main.m3u8",
    dash="r1/main.mpd",
    duration=10.0,
    renditions=[
        Rendition(
            id="v360",
            width=640,
            height=360,
            frame_rate=25.0,
            codecs="avc1.64001e",
            average_bandwidth=1,
            peak_bandwidth=2,
            bytes=3,
        )
    ],
)

INSPECTION = Inspection(container="mp4", size=12, duration=10.0)
FULL_HD = VideoStream(
    index=0,
    codec="h264",
    width=1920,
    height=1080,
    coded_width=1920,
    coded_height=1080,
    frame_rate=Ratio(num=30),
    pixel_format="yuv420p",
)
"""What most recordings have of a picture."""


def media_for(job: Job) -> Media:
    return Media(
        recording_id=job.recording_id,
        lecture_id=job.lecture_id,
        job_id=job.id,
        number=job.number,
        plan=PLAN,
    )


def a_receipt(number: int, *, track: str = "v360", attempt: int = 1) -> Receipt:
    return Receipt(
        track=track, number=number, name=f"{track}/{number}-{attempt}.m4s", bytes=attempt
    )


async def a_lecture_in(stores: MongoStores, **members: Any) -> Lecture:
    course = a_course()
    await stores.courses.add(course)
    return await stores.courses.add_lecture(a_lecture(course.slug, **members))


async def a_recording_of(stores: MongoStores, lecture: Lecture) -> Recording:
    """Uploaded and completed, so with a queued job."""
    number = await stores.uploads.begin(lecture.id)
    upload = an_upload(lecture.id, number)
    await stores.uploads.add(upload)
    return await stores.uploads.completed(await stores.uploads.completing(upload.id, PARTS))


async def a_claim_of(stores: MongoStores, lecture: Lecture) -> Job:
    """A running job of a new recording. The database must hold no other queued job."""
    recording = await a_recording_of(stores, lecture)
    job = await stores.jobs.claim_next("dispatcher")
    assert job is not None
    assert job.recording_id == recording.id
    return job
