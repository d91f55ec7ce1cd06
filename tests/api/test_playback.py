"""A lecture's playback from nothing to final media, over real stores and disk storage."""

from __future__ import annotations

import asyncio
import time

import m3u8
import pytest

from academy import path_tokens
from academy.jobs import Failure
from academy.keys import KeyRing
from academy.media import AUDIO_RATE, INIT, UNIT_SAMPLES, Receipt
from academy.mongo.journal import MongoJournal
from academy.playback import MediaLinks
from tests.documents import INSPECTION, PLAN, PUBLICATION, a_claim_of, media_for
from tests.fixtures_api import BASE

GRID = PLAN.grid


def init(track):
    codecs = "avc1.64001E" if track == "v360" else "mp4a.40.2"
    return Receipt(track=track, number=INIT, name=f"{track}/init.mp4", bytes=700, codecs=codecs)


def segment(track, number):
    if track == "v360":
        start, length, scale = GRID.first_frame(number), GRID.frames_in(number), GRID.frame_ticks
    else:
        start, length, scale = GRID.first_unit(number), GRID.units_in(number), UNIT_SAMPLES
    return Receipt(
        track=track,
        number=number,
        name=f"{track}/{number}-1.m4s",
        bytes=50_000,
        start=start * scale,
        duration=length * scale,
        units=length,
    )


class Transcoding:
    """Plays the dispatcher and its worker for one lecture."""

    def __init__(self, backend, settings, lecture_id):
        self.stores, self.settings, self.lecture_id = backend.stores, settings, lecture_id

    async def claim(self):
        lecture = await self.stores.courses.lecture(self.lecture_id)
        self.job = await a_claim_of(self.stores, lecture)

    async def freeze(self):
        self.media = await self.stores.jobs.freeze(self.job, media_for(self.job))

    async def record(self, *receipts):
        assert self.job.lease is not None
        journal = MongoJournal(
            self.settings.mongodb_url,
            self.settings.mongodb_database,
            media_id=self.media.id,
            job_id=self.job.id,
            token=self.job.lease.token,
        )
        await asyncio.to_thread(journal.record, receipts)


@pytest.fixture
async def transcoding(backend, api_settings, add_course, add_lecture, request):
    slug = f"play-{abs(hash(request.node.name))}"
    await add_course(slug, published=True)
    lecture = await add_lecture(slug, published=True)
    made = Transcoding(backend, api_settings, lecture["id"])
    yield made
    recording = await backend.stores.recordings.newest(lecture["id"])
    job = await backend.stores.jobs.newest(recording.id) if recording else None
    if job is not None and job.active:
        await backend.stores.jobs.cancel(recording.id)


@pytest.fixture
def at_once(monkeypatch):
    """Snapshots of growing media, and answers made from them, that are never older than the question."""
    monkeypatch.setattr("academy.growing.LIFETIME", 0.0)


PAST_THE_CACHE = {"cookie": "any=1"}
"""Answers kept for a moment have tests of their own; what the database says is asked for here."""


async def playback(client, transcoding):
    answer = await client.get(f"/v1/lectures/{transcoding.lecture_id}", headers=PAST_THE_CACHE)
    assert answer.status_code == 200, answer.text
    return answer.json()["playback"]


async def playable(client, transcoding):
    lecture = (await client.get(f"/v1/lectures/{transcoding.lecture_id}")).json()
    course = (await client.get(f"/v1/courses/{lecture['course']}")).json()
    return course["sections"][0]["lectures"][0]["playable"]


async def test_a_lecture_goes_from_none_to_streaming_to_ready(anyone, transcoding, at_once):
    assert (await playback(anyone, transcoding))["state"] == "none"

    await transcoding.claim()
    assert (await playback(anyone, transcoding))["state"] == "processing"
    await transcoding.stores.jobs.inspected(transcoding.job, INSPECTION)
    assert (await playback(anyone, transcoding))["duration"] == 10.0

    await transcoding.freeze()
    await transcoding.record(init("v360"), segment("v360", 0), segment("v360", 1))
    shown = await playback(anyone, transcoding)
    assert (shown["state"], shown["hls"]) == ("processing", None)
    assert not await playable(anyone, transcoding)

    await transcoding.record(init("a96"), segment("a96", 0))
    shown = await playback(anyone, transcoding)
    assert (shown["state"], shown["dash"]) == ("streaming", None)
    assert (shown["duration"], shown["available_duration"]) == (10.0, 4.0)
    assert await playable(anyone, transcoding)
    growing = shown["hls"]

    main = m3u8.loads((await anyone.get(growing)).text, uri=growing)
    assert main.is_variant
    assert main.playlists[0].stream_info.resolution == (640, 360)
    track = main.playlists[0].absolute_uri
    answer = await anyone.get(track)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["cache-control"] == "max-age=1"
    before = answer.text
    playlist = m3u8.loads(before)
    assert (playlist.playlist_type, playlist.is_endlist) == ("event", False)
    assert len(playlist.segments) == 2
    assert all(one.uri.startswith(f"{BASE}/v1/media/") for one in playlist.segments)

    everything = [segment(one, number) for one in PLAN.tracks for number in range(3)]
    await transcoding.record(*everything)
    assert await transcoding.stores.jobs.succeed(transcoding.job, PUBLICATION)
    after = (await anyone.get(track)).text
    assert after.startswith(before)  # RFC 8216bis 6.2.1: lines are only added
    assert after.endswith("#EXT-X-ENDLIST\n")
    assert m3u8.loads(after).segments[-1].uri.endswith("v360/2-1.m4s")

    shown = await playback(anyone, transcoding)
    assert (shown["state"], shown["available_duration"]) == ("ready", 10.0)
    assert shown["hls"].endswith("/r1/main.m3u8")
    assert shown["dash"].endswith("/r1/main.mpd")
    assert shown["renditions"][0]["codecs"] == "avc1.64001e"
    assert await playable(anyone, transcoding)


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
async def test_a_first_recording_that_ends_badly_is_failed_and_its_playlist_gone(
    anyone, transcoding, at_once, ending
):
    await transcoding.claim()
    await transcoding.freeze()
    await transcoding.record(*map(init, PLAN.tracks), *(segment(t, 0) for t in PLAN.tracks))
    growing = (await playback(anyone, transcoding))["hls"]
    assert (await anyone.get(growing)).status_code == 200
    if ending == "failed":
        await transcoding.stores.jobs.fail(transcoding.job, Failure(code="x", message="X."))
    else:
        await transcoding.stores.jobs.cancel(transcoding.job.recording_id)
    shown = await playback(anyone, transcoding)
    assert (shown["state"], shown["hls"]) == ("failed", None)
    gone = await anyone.get(growing)
    assert gone.status_code == 410
    assert gone.headers["access-control-allow-origin"] == "*"


async def test_a_replacement_plays_the_old_media_until_the_new_are_final(
    anyone, transcoding, at_once
):
    await transcoding.claim()
    await transcoding.freeze()
    await transcoding.stores.jobs.succeed(transcoding.job, PUBLICATION)
    old = (await playback(anyone, transcoding))["hls"]
    await transcoding.claim()
    await transcoding.freeze()
    await transcoding.record(*(segment(t, 0) for t in PLAN.tracks), *map(init, PLAN.tracks))
    shown = await playback(anyone, transcoding)
    assert (shown["state"], shown["hls"]) == ("ready", old)
    await transcoding.stores.jobs.succeed(transcoding.job, PUBLICATION)
    assert (await playback(anyone, transcoding))["hls"] != old


async def test_one_snapshot_serves_everybody_for_a_moment(anyone, transcoding, app):
    growing = app.state.services.growing
    await transcoding.claim()
    await transcoding.freeze()
    found = await asyncio.gather(*(growing.snapshot(transcoding.media.id) for _ in range(20)))
    assert len({id(each) for each in found}) == 1


@pytest.fixture
async def published(transcoding, backend):
    """Final media with two stored objects: a playlist and a segment."""
    await transcoding.claim()
    await transcoding.freeze()
    await transcoding.stores.jobs.succeed(transcoding.job, PUBLICATION)
    prefix = f"media/{transcoding.media.id}/"
    put = backend.storage.put
    await asyncio.to_thread(
        put, prefix + "r1/main.m3u8", b"#EXTM3U\n", content_type="application/octet-stream"
    )
    await asyncio.to_thread(put, prefix + "v360/0-1.m4s", b"bytes", content_type="video/mp4")
    return transcoding


async def test_manifests_pass_through_and_segments_are_redirected(anyone, published):
    hls = (await playback(anyone, published))["hls"]
    manifest = await anyone.get(hls)
    assert manifest.text == "#EXTM3U\n"
    assert manifest.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "private" in manifest.headers["cache-control"]
    again = await anyone.get(hls, headers={"If-None-Match": manifest.headers["etag"]})
    assert again.status_code == 304

    segment = hls.replace("r1/main.m3u8", "v360/0-1.m4s")
    redirect = await anyone.get(segment)
    assert redirect.status_code == 307
    assert "private" in redirect.headers["cache-control"]
    found = await anyone.get(redirect.headers["location"], headers={"Range": "bytes=1-2"})
    assert (found.status_code, found.content) == (206, b"yt")
    for answer in (manifest, again, redirect, found):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    head = await anyone.head(hls)
    assert (head.status_code, head.content) == (200, b"")
    assert (await anyone.head(segment)).status_code == 307


async def test_any_origin_may_ask_for_media_before_reading_it(anyone, published):
    hls = (await playback(anyone, published))["hls"]
    asked = {"Origin": "null", "Access-Control-Request-Method": "GET"}
    answer = await anyone.options(hls, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize(
    "name",
    [
        "r1/nothing.m3u8",
        "../{id}/r1/main.m3u8",
        "..%2f..%2frecordings/x/source",
        "%2e%2e/%2e%2e/recordings/source",
        "r1//main.m3u8",
        "r1/../../x.m3u8",
        ".hidden.m3u8",
        "r1/%00.m3u8",
        "r1/main.m3u8/",
    ],
)
async def test_a_token_opens_its_own_media_only(anyone, published, name):
    hls = (await playback(anyone, published))["hls"]
    base = hls.removesuffix("r1/main.m3u8")
    answer = await anyone.get(base + name.format(id=published.media.id))
    assert answer.status_code == 404


async def test_tampered_and_expired_tokens_open_nothing(anyone, published, backend):
    keys, media_id = backend.keys, published.media.id

    async def status(token):
        return (await anyone.get(f"/v1/media/{token}/r1/main.m3u8")).status_code

    good = path_tokens.issue(keys, media_id, at=time.time())
    assert await status(good) == 200
    other = "0" * 32
    assert await status(good.replace(media_id, other)) == 404
    assert await status(good[:-1] + ("0" if good[-1] != "0" else "1")) == 404
    assert await status(path_tokens.issue(keys, media_id, at=time.time() - 19 * 3600)) == 410
    assert await status(path_tokens.issue(KeyRing("x" * 32), media_id, at=time.time())) == 404
    assert await status(path_tokens.issue(keys, other, at=time.time())) == 404
    assert await status("nothing") == 404
    growing = path_tokens.issue(keys, other, at=time.time())
    assert (await anyone.get(f"/v1/media/{growing}/growing/main.m3u8")).status_code == 404


async def test_a_media_server_of_ones_own_is_for_what_is_published(anyone, teacher, published, app):
    services = app.state.services
    usual = services.links
    links = MediaLinks(usual.keys, usual.public_url, "https://cdn.test")
    object.__setattr__(services, "links", links)
    try:
        media = f"https://cdn.test/media/{published.media.id}"
        shown = await playback(anyone, published)
        assert shown["hls"] == f"{media}/r1/main.m3u8"
        assert shown["dash"] == f"{media}/r1/main.mpd"
        await teacher.post(f"/v1/lectures/{published.lecture_id}/unpublish")
        draft = await playback(teacher, published)
        assert draft["hls"].startswith(f"{BASE}/v1/media/")
    finally:
        object.__setattr__(services, "links", usual)


async def test_audio_begins_with_one_priming_unit_that_no_listener_hears(
    anyone, transcoding, at_once
):
    await transcoding.claim()
    await transcoding.freeze()
    await transcoding.record(init("a96"), segment("a96", 0), init("v360"), segment("v360", 0))
    growing = (await playback(anyone, transcoding))["hls"]
    audio = m3u8.loads((await anyone.get(growing.replace("main", "a96"))).text)
    assert audio.segments[0].duration == pytest.approx(
        (GRID.first_unit(1) - 1) * UNIT_SAMPLES / AUDIO_RATE, abs=1e-6
    )
    unknown = await anyone.get(growing.replace("main", "v9999"))
    assert unknown.status_code == 404
