"""The example dashboard asks for nothing that the services do not tell."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from academy.jobs import Failure, FailureKind
from academy.settings import Settings
from academy.tally_metrics import TallyCollector
from api.metrics import Metrics as ApiMetrics
from tests.portal.site import free_port
from transcoding.metrics import Metrics as TranscoderMetrics
from transcoding.metrics import served

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana" / "academy.json"


def expressions():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def labels_of(registry):
    """By the name of a metric as queries name it: the labels it may carry besides `le`."""
    found: dict[str, set[str]] = {}
    for collector, names in registry._collector_to_names.items():
        labels = getattr(collector, "_labelnames", None) or (getattr(collector, "_label", ""),)
        told = {name for name in names if not name.endswith("_created")}
        if isinstance(collector, Counter | TallyCollector):
            told = {name for name in told if name.endswith("_total")}
        found |= dict.fromkeys(told, set(labels) - {""})
    return found


def test_every_metric_and_label_of_the_dashboard_exists():
    known = labels_of(ApiMetrics().registry) | labels_of(TranscoderMetrics().registry)
    asked = 0
    for expression in expressions():
        grouped = set(re.findall(r"by \(([^)]*)\)", expression))
        labels = {each.strip() for group in grouped for each in group.split(",")} - {"le"}
        labels |= set(re.findall(r"\{(\w+)=", expression))
        for name in re.findall(r"academy_\w+", expression):
            assert name in known, f"{expression}: no service tells {name}"
            assert labels <= known[name], f"{expression}: {name} has no {labels - known[name]}"
            asked += 1
    assert asked >= 15


def test_every_metric_of_the_services_is_on_the_dashboard():
    shown = "\n".join(expressions())
    told = labels_of(ApiMetrics().registry) | labels_of(TranscoderMetrics().registry)
    bare = {re.sub(r"(_bucket|_sum|_count|_total)$", "", name) for name in told}
    assert {name for name in bare if name not in shown} == set()


async def test_a_transcoder_tells_its_metrics_on_a_port_of_its_own():
    settings = Settings(metrics_port=free_port())
    metrics = TranscoderMetrics()
    metrics.ended(60.0, 12.0)
    metrics.failed(Failure(code="poison", message="Bad.", kind=FailureKind.BUG))
    with served(metrics, settings):
        url = f"http://127.0.0.1:{settings.metrics_port}/metrics"
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(url)).text
    families = {each.name: each for each in text_string_to_metric_families(text)}
    [failed] = [s for s in families["academy_job_failures"].samples if s.name.endswith("_total")]
    assert (failed.labels, failed.value) == ({"code": "poison", "kind": "bug"}, 1)
    counted = {
        s.labels["le"]: s.value
        for s in families["academy_transcode_speed"].samples
        if s.name.endswith("_bucket")
    }
    assert (counted["4.0"], counted["8.0"]) == (0, 1)
