"""What the response cache has answered, told to Prometheus when it asks: a hit only adds to an integer."""

from __future__ import annotations

from dataclasses import dataclass, field

from api.metrics import Metrics
from api.response_cache import ResponseCache


@dataclass(slots=True)
class Gathering:
    """Adds to the application's metrics what came since the last time."""

    cache: ResponseCache
    metrics: Metrics
    _told: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _found: int = 0
    _filled: int = 0
    _evicted: int = 0

    def __call__(self) -> None:
        for address in self.cache.addresses:
            counts = {("GET", 200): address.found, ("GET", 304): address.not_modified}
            for (method, status), count in {**counts, **address.others}.items():
                self._count(method, address.template, status, count)
        found = sum(address.found + address.not_modified for address in self.cache.addresses)
        self.metrics.hits.inc(found - self._found)
        self._found = found
        entries = self.cache.entries
        self.metrics.kept.set(entries.bytes)
        self.metrics.kept_answers.set(len(entries))
        self.metrics.fills.inc(self.cache.filled - self._filled)
        self.metrics.evicted.inc(entries.evicted - self._evicted)
        self._filled, self._evicted = self.cache.filled, entries.evicted

    def _count(self, method: str, template: str, status: int, count: int) -> None:
        key = (method, template, status)
        new = count - self._told.get(key, 0)
        if new:
            self.metrics.requests.labels(method, template, str(status)).inc(new)
            self._told[key] = count
