"""Captions over the API: for a lecture that plays, before there is one, and after a replacement."""

from __future__ import annotations

from typing import Any

import pytest

from academy.captioning import settle_due
from academy.captions import plain
from academy.media import INIT, CaptionTrack, Media, Publication, Receipt, media_prefix
from academy.mongo.journal import MongoJournal
from academy.wiring import Backend
from tests.documents import PLAN, PUBLICATION, a_recording_of, a_slug

VTT = "WEBVTT\n\n00:00:02.000 --> 00:00:03.000\nsecond\n\n00:00:01.000 --> 00:00:02.500\nfirst\n"
CHINESE_SRT = (
    "1\r\n00:00:01,000 --> 00:00:03,000\r\n今天我们讲实时计算和数据仓库，欢迎大家来到课堂\r\n"
)


def receipts_of(track: str, codecs: str) -> list[Receipt]:
    grid = PLAN.grid
    ticks = [grid.frames_in(n) * grid.frame_ticks for n in range(grid.segment_count)]
    units = [grid.frames_in(n) for n in range(grid.segment_count)]
    if track.startswith("a"):
        units = [grid.units_in(n) for n in range(grid.segment_count)]
        ticks = [count * 1024 for count in units]
    init = Receipt(track=track, number=INIT, name=f"{track}/init-1.mp4", bytes=700, codecs=codecs)
    return [init] + [
        Receipt(
            track=track,
            number=number,
            name=f"{track}/{number}-1.m4s",
            bytes=1000,
            start=sum(ticks[:number]),
            duration=ticks[number],
            units=units[number],
        )
        for number in range(grid.segment_count)
    ]


async def publish(
    backend: Backend, lecture_id: str, *, captions: list[CaptionTrack] | None = None
) -> Media:
    """As the dispatcher does: a new recording's media, from the claim to its end."""
    stores, settings = backend.stores, backend.settings
    await a_recording_of(stores, await stores.courses.lecture(lecture_id))
    job = await stores.jobs.claim_next("this test")
    assert job is not None
    assert job.lease is not None
    media = await stores.jobs.freeze(
        job,
        Media(
            recording_id=job.recording_id,
            lecture_id=lecture_id,
            job_id=job.id,
            number=job.number,
            plan=PLAN,
        ),
    )
    journal = MongoJournal(
        settings.require_mongodb_url(),
        settings.mongodb_database,
        media_id=media.id,
        job_id=job.id,
        token=job.lease.token,
    )
    journal.record([*receipts_of("v360", "avc1.64001e"), *receipts_of("a96", "mp4a.40.2")])
    sound = PUBLICATION.renditions[0].model_copy(update={"id": "a96", "codecs": "mp4a.40.2"})
    publication = PUBLICATION.model_copy(
        update={"captions": captions or [], "renditions": [*PUBLICATION.renditions, sound]}
    )
    for track in publication.captions:
        backend.storage.put(
            media_prefix(media.id) + track.name,
            b"WEBVTT\n\n00:01.000 --> 00:02.000\nembedded wisdom\n",
            content_type="text/vtt",
        )
    await stores.jobs.succeed(job, publication)
    return media


async def published(backend: Backend, media: Media) -> Publication:
    found = (await backend.stores.media.get(media.id)).publication
    assert found is not None
    return found


def text_of(backend: Backend, media: Media, name: str) -> str:
    return b"".join(backend.storage.read(media_prefix(media.id) + name)).decode()


async def playback(client: Any, lecture_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/lectures/{lecture_id}")
    found: dict[str, Any] = answer.json()["playback"]
    return found


@pytest.fixture
async def lecture(add_course, add_lecture) -> str:
    slug = a_slug()
    await add_course(slug, published=True)
    return str((await add_lecture(slug, published=True))["id"])


async def test_captions_appear_in_playback_and_in_both_manifests(
    teacher, anyone, backend, lecture
) -> None:
    media = await publish(backend, lecture)
    before = await published(backend, media)
    answer = await teacher.put(f"/v1/lectures/{lecture}/captions/fr", content=VTT)
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"uploaded_at": ""} == {
        "language": "fr",
        "label": "Français",
        "kind": "subtitles",
        "cues": 2,
        "uploaded_at": "",
        "changes": {"reordered": 2, "overlapping": 1},
        "playing": True,
    }
    seen = await playback(anyone, lecture)
    (track,) = seen["captions"]
    assert (track["language"], track["label"], track["kind"]) == ("fr", "Français", "subtitles")
    now = await published(backend, media)
    assert now.revision == before.revision + 1
    assert seen["hls"].endswith(now.hls)
    assert text_of(backend, media, now.captions[0].name) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nfirst\n\n00:00:02.000 --> 00:00:03.000\nsecond\n"
    )
    hls = text_of(backend, media, now.hls)
    assert 'TYPE=SUBTITLES,GROUP-ID="subtitles",LANGUAGE="fr",NAME="Français"' in hls
    assert now.captions[0].name in text_of(backend, media, now.dash)
    # The old revision still plays for those who are watching it.
    assert before.hls != now.hls
    read = await anyone.get(track["url"])
    assert read.status_code == 200
    assert read.headers["content-type"].startswith("text/vtt")


async def test_captions_given_before_the_recording_come_with_it(
    teacher, anyone, backend, lecture
) -> None:
    answer = await teacher.put(
        f"/v1/lectures/{lecture}/captions/zh",
        params={"kind": "captions", "label": "中文（听障）"},
        content=CHINESE_SRT.encode("gb18030"),
    )
    assert answer.json()["playing"] is False
    await publish(backend, lecture)
    await settle_due(backend.stores, backend.storage)
    (track,) = (await playback(anyone, lecture))["captions"]
    assert (track["language"], track["kind"], track["label"]) == ("zh", "captions", "中文（听障）")
    assert "今天我们讲实时计算" in (await anyone.get(track["url"])).text
    # A replaced recording keeps them.
    media = await publish(backend, lecture)
    await settle_due(backend.stores, backend.storage)
    assert [each.language for each in (await published(backend, media)).captions] == ["zh"]
    assert lecture not in await backend.stores.captions.due()


async def test_what_the_recording_brought_along_is_findable_replaced_and_hidden(
    teacher, anyone, backend, lecture
) -> None:
    own = [
        CaptionTrack(language=each, label=each, name=f"r1/subtitles-{each}.vtt")
        for each in ("en", "fr")
    ]
    media = await publish(backend, lecture, captions=own)
    await settle_due(backend.stores, backend.storage)
    transcripts = backend.stores.database.caption_transcripts
    found = await transcripts.find_one({"_id": f"{lecture}:en"})
    assert [cue["text"] for cue in found["cues"]] == ["embedded wisdom"]

    await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=VTT)
    names = {each.language: each.name for each in (await published(backend, media)).captions}
    assert names["fr"] == "r1/subtitles-fr.vtt"
    assert names["en"].startswith("captions/en-")
    found = await transcripts.find_one({"_id": f"{lecture}:en"})
    assert [cue["text"] for cue in found["cues"]] == ["first", "second"]

    for language in ("en", "fr", "fr"):
        answer = await teacher.delete(f"/v1/lectures/{lecture}/captions/{language}")
        assert answer.status_code == 204
    assert (await playback(anyone, lecture))["captions"] == []
    assert await transcripts.count_documents({"lecture_id": lecture}) == 0


async def test_the_same_captions_again_make_no_new_revision(teacher, backend, lecture) -> None:
    media = await publish(backend, lecture)
    await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=VTT)
    first = await published(backend, media)
    await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=VTT)
    assert await published(backend, media) == first
    listed = await teacher.get(f"/v1/lectures/{lecture}/captions")
    assert [(each["language"], each["cues"]) for each in listed.json()["items"]] == [("en", 2)]


async def test_a_media_that_ended_early_and_waits_for_rungs_gets_manifests_of_what_is_there(
    backend, lecture, teacher
) -> None:
    media = await publish(backend, lecture)
    shorter = (await published(backend, media)).model_copy(
        update={"revision": 2, "duration": 8.0, "renditions": PUBLICATION.renditions}
    )
    await backend.stores.media.revise(media.id, shorter)
    answer = await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=VTT)
    assert answer.json()["playing"] is True
    now = await published(backend, media)
    assert "a96" not in text_of(backend, media, now.hls)
    playlist = text_of(backend, media, now.hls.replace("main", "v360"))
    assert playlist.count("#EXTINF") == 2


@pytest.mark.parametrize(
    ("body", "sentence"), [(b"", "no cue"), (b"\x89PNG\r\n", "no cue"), (b"00:1 --> 2\n", "Line 1")]
)
async def test_a_file_that_is_none_is_refused_in_a_sentence(teacher, lecture, body, sentence):
    answer = await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=body)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("bad_captions")
    assert sentence in answer.json()["detail"]


async def test_captions_go_with_their_lecture(teacher, backend, lecture) -> None:
    await teacher.put(f"/v1/lectures/{lecture}/captions/en", content=VTT)
    assert plain((await backend.stores.captions.of(lecture))[0].webvtt)
    await teacher.delete(f"/v1/lectures/{lecture}")
    assert await backend.stores.captions.of(lecture) == []
