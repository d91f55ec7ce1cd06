"""What a benchmark is, what it reports, and the list of them all."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

SUITES: Final[tuple[str, ...]] = (
    "bench.ingest_uploads",
    "bench.learning_heartbeats",
    "bench.search_speed",
    "bench.transcode_bits",
    "bench.transcode_bits_sweep",
    "bench.transcode_bits_av1",
    "bench.transcode_speed",
    "bench.transcode_time_to_play",
    "bench.transcode_pace",
    "bench.transcode_workers",
    "bench.transcode_scaling",
    "bench.api_floor",
)
"""Modules that register benchmarks, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. `ratio` is `value / reference`, both in `unit`, from the same run."""

    name: str
    value: float
    unit: str
    reference: float
    ratio: float

    @classmethod
    def of(cls, name: str, value: float, unit: str, reference: float) -> Result:
        return cls(name, value, unit, reference, value / reference)

    def line(self) -> str:
        rounded = {
            key: round(part, 6) if isinstance(part, float) else part
            for key, part in dataclasses.asdict(self).items()
        }
        return json.dumps(rounded)


Run = Callable[[], Iterable[Result]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    names: tuple[str, ...]
    """The results it may yield: what `ONLY` is compared with."""
    run: Run

    def chosen_by(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self.names)


_REGISTERED: list[Benchmark] = []


def benchmark(*names: str) -> Callable[[Run], Run]:
    """Registers a function that measures and yields a Result for each of `names`."""

    def register(run: Run) -> Run:
        _REGISTERED.append(Benchmark(names, run))
        return run

    return register


def all_benchmarks() -> list[Benchmark]:
    for suite in SUITES:
        importlib.import_module(suite)
    return list(_REGISTERED)
