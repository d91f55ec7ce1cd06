from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from academy.errors import Unavailable


async def test_it_is_alive_and_ready(anyone):
    assert (await anyone.get("/health/live")).json() == {"status": "ok"}
    ready = await anyone.get("/health/ready")
    assert ready.status_code == 200
    found = ready.json()["dependencies"]
    assert {name: each["status"] for name, each in found.items()} == {
        "mongodb": "ok",
        "storage": "ok",
    }


@pytest.fixture
def storage_away(backend):
    """The storage's folder is out of reach for a moment."""

    class Away:
        def list(self, prefix):
            raise Unavailable("the disk is gone, at a secret place")

    usual = backend.storage
    object.__setattr__(backend, "storage", Away())
    yield
    object.__setattr__(backend, "storage", usual)


async def test_a_dependency_that_does_not_answer_is_named(anyone, storage_away):
    answer = await anyone.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()["dependencies"]
    assert found["storage"]["status"] == "unavailable"
    assert found["mongodb"]["status"] == "ok"
    assert "secret" not in answer.text


async def test_requests_are_counted_by_route_not_by_address(anyone):
    for slug in ("one", "two"):
        await anyone.get(f"/v1/courses/{slug}")
        await anyone.get(f"/nothing/{slug}")
    answer = await anyone.get("/metrics")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    counted = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for sample in families["academy_http_requests"].samples
        if sample.name.endswith("_total")
    }
    assert counted["GET", "/v1/courses/{slug}", "404"] == 2
    assert counted["GET", "unmatched", "404"] == 2
    assert not any("one" in route for _, route, _ in counted)
    assert families["academy_http_request_seconds"].samples
