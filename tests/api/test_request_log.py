"""One id from the request to the job it queued, the metrics of the queue, and what logs never hold."""

from __future__ import annotations

import logging

from prometheus_client.parser import text_string_to_metric_families

from academy.correlation import working_for
from academy.errors import Unavailable
from tests.documents import a_lecture_in, a_recording_of


async def test_answers_carry_the_id_they_were_asked_with(anyone):
    given = await anyone.get("/v1/lectures/none", headers={"X-Request-Id": "front-end-7"})
    assert given.headers["x-request-id"] == "front-end-7"
    made = await anyone.get("/v1/lectures/none", headers={"X-Request-Id": "no good"})
    assert len(made.headers["x-request-id"]) == 32


async def test_a_log_line_names_the_route_and_never_the_address(anyone, caplog):
    with caplog.at_level(logging.INFO, "api.request_log"):
        await anyone.get("/v1/media/secret-token/growing/main.m3u8?x=1")
    [line] = [each for each in caplog.records if each.name == "api.request_log"]
    assert (line.route, line.status) == ("/v1/media/{token}/growing/{name}", 404)
    assert "secret-token" not in line.getMessage()


async def test_parts_and_objects_of_a_disk_storage_are_named_too(backend, anyone, caplog):
    storage = backend.storage
    upload_id = storage.start("recordings/named/source", content_type="video/mp4")
    part = storage.sign_part("recordings/named/source", upload_id, 1, expires_in=60)
    with caplog.at_level(logging.INFO, "api.request_log"):
        await anyone.request(part.method, part.url, content=b"x", headers=part.headers)
        await anyone.get(storage.signed_url("media/none/x", expires_in=60))
    told = [
        (each.method, each.route, each.status)
        for each in caplog.records
        if each.name == "api.request_log"
    ]
    assert told == [
        ("PUT", "/v1/storage/parts/{upload_id}/{number:int}", 200),
        ("GET", "/v1/storage/objects/{key:path}", 404),
    ]
    storage.abort("recordings/named/source", upload_id)


async def test_the_request_that_completed_an_upload_is_kept_with_its_job_and_its_retries(
    backend, teacher, add_course, add_lecture
):
    lecture = await a_lecture_in(backend.stores)
    with working_for(request="the-upload"):
        recording = await a_recording_of(backend.stores, lecture)
    job = await backend.stores.jobs.newest(recording.id)
    assert job.request_id == "the-upload"
    await backend.stores.jobs.cancel(recording.id)
    with working_for(request="the-retry"):
        assert (await backend.stores.jobs.retry(recording.id)).request_id == "the-retry"
    await backend.stores.jobs.cancel(recording.id)


async def samples(client):
    text = (await client.get("/metrics")).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_queue_is_told_as_it_is_when_prometheus_asks(backend, anyone):
    lecture = await a_lecture_in(backend.stores)
    recording = await a_recording_of(backend.stores, lecture)
    told = await samples(anyone)
    assert told["academy_queue_known",] == 1
    assert told["academy_queue_jobs", "queued"] == told["academy_queue_ready",] == 1
    await backend.stores.jobs.cancel(recording.id)
    told = await samples(anyone)
    assert told["academy_queue_jobs", "queued"] == told["academy_queue_oldest_seconds",] == 0


async def test_a_queue_that_cannot_be_read_is_unknown_and_not_empty(app, anyone, backend):
    class Away:
        async def queue(self):
            raise Unavailable("gone")

        async def transcoders(self):
            return []

    usual = backend.stores.operating
    backend.stores.operating = Away()
    try:
        told = await samples(anyone)
    finally:
        backend.stores.operating = usual
    assert told["academy_queue_known",] == 0
    assert ("academy_queue_jobs", "queued") not in told
