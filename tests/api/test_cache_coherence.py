"""What is written through one process, every process shows: over real change streams."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from academy.courses import now
from academy.embedded import EmbeddedMongo
from academy.errors import AcademyError
from academy.people import Instructor, Role
from academy.store_values import Changes
from academy.tokens import issue
from tests.documents import PUBLICATION, a_claim_of, a_course, a_lecture, a_receipt, media_for
from tests.two_processes import two_processes


@pytest.fixture(scope="module")
async def processes(api_settings):
    async with two_processes(api_settings) as made:
        yield made


async def shown(processes, slug="shown", **members):
    """A published course with two published lectures, the first read everywhere."""
    stores = processes.stores
    teacher = Instructor(slug=f"{slug}-teacher", name={"en": "Lin"})
    await stores.instructors.add(teacher)
    course = a_course(slug=slug, instructors=[teacher.slug], published_at=now(), **members)
    await stores.courses.add(course)
    lectures = [await stores.courses.add_lecture(a_lecture(slug, published=True)) for _ in range(2)]
    await processes.settled()
    return course, lectures


def paths(course, lectures):
    return [
        "/v1/courses",
        f"/v1/courses/{course.slug}",
        f"/v1/lectures/{lectures[0].id}",
        f"/v1/instructors/{course.instructors[0]}",
    ]


async def reads(processes, addresses):
    return [[await client.get(path) for path in addresses] for client in processes.kept]


async def test_kept_answers_are_what_the_application_answers(processes):
    addresses = paths(*await shown(processes, "same"))
    for path in addresses:
        fresh = await processes.fresh.get(path)
        for client in processes.kept:
            for _ in range(2):
                kept = await client.get(path)
                assert (kept.status_code, kept.content) == (200, fresh.content)
                assert kept.headers["etag"] == fresh.headers["etag"] or "gzip" in kept.headers.get(
                    "content-encoding", ""
                )
                assert kept.headers["x-content-type-options"] == "nosniff"


async def test_a_deleted_lecture_leaves_the_course_that_showed_it(processes):
    course, (gone, stays) = await shown(processes, "deleted-lecture")
    await reads(processes, paths(course, [gone, stays]))
    await processes.stores.courses.delete_lecture(gone.id)
    await processes.settled()
    for client in processes.kept:
        assert (await client.get(f"/v1/lectures/{gone.id}")).status_code == 404
        detail = (await client.get(f"/v1/courses/{course.slug}")).json()
        assert [each["id"] for each in detail["sections"][0]["lectures"]] == [stays.id]
        listed = (await client.get("/v1/courses")).json()["items"]
        assert {each["slug"]: each["lecture_count"] for each in listed}[course.slug] == 1


async def test_an_unpublished_course_takes_its_lectures_with_it(processes):
    course, lectures = await shown(processes, "unpublished")
    await reads(processes, paths(course, lectures))
    await processes.stores.courses.change(course.slug, Changes(1, {"published_at": None}))
    await processes.settled()
    for client in processes.kept:
        assert (await client.get(f"/v1/courses/{course.slug}")).status_code == 404
        assert (await client.get(f"/v1/lectures/{lectures[0].id}")).status_code == 404
        listed = (await client.get("/v1/courses")).json()["items"]
        assert course.slug not in {each["slug"] for each in listed}


async def test_a_new_name_of_an_instructor_appears_wherever_it_is_embedded(processes):
    course, lectures = await shown(processes, "renamed")
    await reads(processes, paths(course, lectures))
    teacher = course.instructors[0]
    await processes.stores.instructors.change(teacher, Changes(1, {"name": {"en": "Dr Lin"}}))
    await processes.settled()
    for client in processes.kept:
        for path in paths(course, lectures):
            assert '"Dr Lin"' in (await client.get(path)).text, path


async def test_a_lecture_just_published_appears_in_its_course(processes):
    course, lectures = await shown(processes, "appearing")
    draft = await processes.stores.courses.add_lecture(a_lecture(course.slug))
    await processes.settled()
    await reads(processes, paths(course, lectures))
    await processes.stores.courses.change_lecture(draft.id, Changes(1, {"published": True}))
    await processes.settled()
    for client in processes.kept:
        assert draft.id in (await client.get(f"/v1/courses/{course.slug}")).text


async def test_a_recording_that_is_ready_is_shown_with_its_poster(processes):
    course, (lecture, _) = await shown(processes, "ready")
    stores = processes.stores
    await reads(processes, paths(course, [lecture]))
    job = await a_claim_of(stores, lecture)
    media = await stores.jobs.freeze(job, media_for(job))
    poster = PUBLICATION.model_copy(update={"poster": "r1/poster.jpg"})
    await stores.jobs.succeed(job, poster)
    await processes.settled()
    for client in processes.kept:
        playback = (await client.get(f"/v1/lectures/{lecture.id}")).json()["playback"]
        assert playback["state"] == "ready"
        assert media.id in playback["hls"]
        card = (await client.get(f"/v1/courses/{course.slug}")).json()
        path = f"/v1/courses/{course.slug}/poster"
        assert card["poster_url"].endswith(path)
        for _ in range(2):
            picture = await client.get(path)
            assert picture.status_code == 307
            assert f"media/{media.id}/r1/poster.jpg" in picture.headers["location"]
            assert picture.headers["cache-control"] == "public, max-age=300"
    await stores.courses.change_lecture(lecture.id, Changes(1, {"published": False}))
    await processes.settled()
    for client in processes.kept:
        assert (await client.get(f"/v1/courses/{course.slug}")).json()["poster_url"] is None
        assert (await client.get(f"/v1/courses/{course.slug}/poster")).status_code == 404


async def test_progress_leases_and_bookkeeping_evict_nothing(processes):
    course, lectures = await shown(processes, "steady")
    stores, database = processes.stores, processes.stores.database
    job = await a_claim_of(stores, lectures[1])
    media = await stores.jobs.freeze(job, media_for(job))
    await processes.settled()
    await reads(processes, paths(course, lectures))
    evicted = [cache.entries.evicted for cache in processes.caches]
    told = [dict(marks) for marks in processes.told]
    await stores.jobs.extend(job)
    await database.receipts.insert_one({"media_id": media.id, **a_receipt(0).model_dump()})
    await database.progress.insert_one({"learner": "x", "lecture": lectures[0].id})
    await database.courses.update_one({"_id": course.slug}, {"$inc": {"views": 1}})
    await stores.courses.add_lecture(a_lecture("steady"))  # a draft
    await processes.settled()
    assert [cache.entries.evicted for cache in processes.caches] == evicted
    for marks, before in zip(processes.told, told, strict=True):
        new = {mark for mark in marks if marks[mark] != before.get(mark, 0)}
        assert {mark for mark in new if mark.startswith("courses")} == set()
        assert {mark for mark in new if mark.startswith("media")} == set()
    await stores.jobs.cancel(job.recording_id)


async def test_who_writes_reads_it_at_once(processes, backend):
    headers = {"Authorization": f"Bearer {issue(backend.keys, Role.ADMIN, 'root', 3600)}"}
    (client, _), slug = processes.kept, "written"
    body = {"slug": slug, "title": "A", "language": "en"}
    assert (await client.post("/v1/courses", json=body, headers=headers)).status_code == 201
    assert (await client.get(f"/v1/courses/{slug}")).status_code == 404
    for round_ in range(5):
        published = await client.post(f"/v1/courses/{slug}/publish", headers=headers)
        assert published.status_code == 200
        assert (await client.get(f"/v1/courses/{slug}")).status_code == 200
        title = {"title": f"Round {round_}"}
        await client.patch(f"/v1/courses/{slug}", json=title, headers=headers)
        assert (await client.get(f"/v1/courses/{slug}")).json()["title"] == f"Round {round_}"
        await client.post(f"/v1/courses/{slug}/unpublish", headers=headers)
        assert (await client.get(f"/v1/courses/{slug}")).status_code == 404


async def test_a_killed_change_stream_goes_on_and_misses_nothing(processes):
    course, lectures = await shown(processes, "killed")
    await reads(processes, paths(course, lectures))
    while not await processes.kill_streams():  # noqa: ASYNC110 - the server says nothing
        await asyncio.sleep(0.01)
    await processes.stores.courses.change(course.slug, Changes(1, {"title": {"en": "Anew"}}))
    await processes.settled()
    for client in processes.kept:
        assert (await client.get(f"/v1/courses/{course.slug}")).json()["title"] == "Anew"


async def test_a_dropped_collection_has_everything_forgotten(processes):
    await processes.stores.database.create_collection("unheard")
    course, lectures = await shown(processes, "dropped")
    await reads(processes, paths(course, lectures))
    cleared = [cache.cleared for cache in processes.caches]
    await processes.stores.database.drop_collection("unheard")
    await processes.settled()
    for cache, before in zip(processes.caches, cleared, strict=True):
        assert cache.cleared > before
    assert [len(cache.entries) for cache in processes.caches] == [0, 0]


async def test_metrics_count_what_the_cache_answered(processes):
    course, _ = await shown(processes, "counted")
    client, path = processes.kept[0], f"/v1/courses/{course.slug}"
    template = 'route="/v1/courses/{slug}"'

    async def counted(status, method="GET"):
        wanted = f'academy_http_requests_total{{method="{method}",{template},status="{status}"}} '
        text = (await client.get("/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith(wanted)]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0

    before = [await counted(200), await counted(304), await counted(200, "HEAD")]
    tag = (await client.get(path)).headers["etag"]
    await client.get(path)
    await client.get(path, headers={"If-None-Match": tag})
    await client.head(path)
    after = [await counted(200), await counted(304), await counted(200, "HEAD")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 1, 1]


async def test_a_restarted_mongod_leaves_nothing_stale(api_settings, tmp_path):
    with EmbeddedMongo(tmp_path) as mongo:
        settings = api_settings.model_copy(update={"mongodb_url": mongo.url})
        async with two_processes(settings) as processes:
            course, lectures = await shown(processes, "restarted")
            await reads(processes, paths(course, lectures))
            cleared = [cache.cleared for cache in processes.caches]
            mongod = int((tmp_path / "mongodb" / "lock").read_text().split()[1])
            os.kill(mongod, signal.SIGKILL)
            while True:  # the guardian starts it again
                try:
                    await processes.stores.courses.change(
                        course.slug, Changes(1, {"title": {"en": "After"}})
                    )
                except AcademyError:
                    continue
                break
            while [cache.cleared for cache in processes.caches] == cleared:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await processes.settled()
            for client in processes.kept:
                assert (await client.get(f"/v1/courses/{course.slug}")).json()["title"] == "After"
