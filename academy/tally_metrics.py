"""Tallies as Prometheus counters, for the API and the transcoder alike."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from academy.tallies import STORAGE_ERRORS, Tally


class TallyCollector(Collector):
    def __init__(self, name: str, meaning: str, label: str, tally: Tally) -> None:
        self._name, self._meaning, self._label, self._tally = name, meaning, label, tally

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Lets the registry refuse another metric of this name."""
        return self.collect()

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._meaning, labels=[self._label])
        for value, count in sorted(self._tally.read().items()):
            family.add_metric([value], count)
        yield family


def tell_storage_errors(registry: CollectorRegistry) -> None:
    registry.register(
        TallyCollector(
            "academy_storage_errors",
            "Requests that the object storage refused, failed or did not answer",
            "kind",
            STORAGE_ERRORS,
        )
    )
