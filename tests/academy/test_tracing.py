"""Spans reach a real collector with their parents; where no collector is named, nothing happens."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from academy import tracing
from academy.correlation import working_for
from academy.errors import LeaseLost
from academy.logs import JsonLines
from academy.object_stores import Storage
from academy.settings import Settings
from academy.storage import open_storage
from tests.collector import collecting

FROM_OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def lose_the_lease(storage: Storage, told: list[str]) -> None:
    with tracing.span("outer", {"a": 1, "b": None}, parent=FROM_OUTSIDE):
        storage.put("k/one", b"12", content_type="text/plain")
        told.append(JsonLines().format(logging.makeLogRecord({"msg": "within"})))
        assert b"".join(storage.read("k/one")) == b"12"
        raise LeaseLost


def test_spans_arrive_with_parents_ids_and_what_went_wrong(tmp_path):
    lines: list[str] = []
    with collecting() as collector:
        settings = Settings(otlp_endpoint=collector.url, storage_url=f"file://{tmp_path}")
        with tracing.traced(settings, "academy-test"):
            storage = open_storage(settings, None)
            with working_for(request="r1", job="j1"), pytest.raises(LeaseLost):
                lose_the_lease(storage, lines)
            storage.stat("k/one")  # within no span: tells nothing on its own
    put, read, outer = collector.spans
    assert [each.name for each in collector.spans] == ["storage put", "storage read", "outer"]
    assert {each.trace for each in collector.spans} == {FROM_OUTSIDE.split("-")[1]}
    assert (put.parent, read.parent) == (outer.id, outer.id)
    assert outer.parent == FROM_OUTSIDE.split("-")[2]
    assert put.attributes["academy.key"] == "k/one"
    assert outer.attributes == {
        "academy.request_id": "r1", "academy.job_id": "j1", "a": 1, "error.type": LeaseLost.code,
    }  # fmt: skip
    assert (outer.failed, put.failed) == (True, False)
    assert outer.service == "academy-test"
    told = json.loads(lines[0])
    assert (told["trace_id"], told["span_id"]) == (outer.trace, outer.id)


def test_what_is_handed_on_makes_the_next_service_part_of_the_same_trace():
    with collecting() as collector:
        with tracing.traced(Settings(otlp_endpoint=collector.url), "academy-test"):
            with tracing.span("request"):
                handed_on = tracing.traceparent()
            with tracing.span("job", parent=handed_on):
                pass
        request, job = collector.spans
    assert (job.trace, job.parent) == (request.trace, request.id)


@pytest.mark.parametrize(
    "wrong", ["nonsense", "00-0-0-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
def test_a_parent_that_is_none_begins_a_trace_of_its_own(wrong):
    with collecting() as collector:
        with (
            tracing.traced(Settings(otlp_endpoint=collector.url), "academy-test"),
            tracing.span("alone", parent=wrong),
        ):
            pass
        (alone,) = collector.spans
    assert alone.parent == ""


def test_without_a_collector_nothing_of_opentelemetry_is_imported():
    code = """
import sys
from academy import tracing
from academy.object_stores import Storage
from academy.settings import Settings
with tracing.traced(Settings(), "academy"), tracing.span("nothing", parent="x") as told:
    told.tell({"a": 1})
    told.rename("b")
assert (tracing.traceparent(), tracing.ids()) == (None, None)
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def test_a_collector_without_the_packages_for_it_ends_with_what_to_install():
    code = """
import sys
sys.modules["opentelemetry.sdk.trace"] = None
from academy.cli import main
main()
"""
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "ACADEMY_SECRET_KEY": "0" * 32,
    }
    ended = subprocess.run(
        [sys.executable, "-c", code, "transcoder"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send traces are not "
        'installed: `pip install "academy[traces]"`, or unset it.'
    )
