"""Interleaved rounds: each variant once per round, in an order that turns, so that a noisy machine is
noisy for everybody. Medians are compared, ranges are shown."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MINIMUM_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one run: wall, and CPU (user and system) of this process and its ended children."""

    wall: float
    cpu: float


def measured(work: Callable[[], object]) -> Cost:
    before, started = os.times(), time.monotonic()
    work()
    after, ended = os.times(), time.monotonic()
    cpu = sum(after[:4]) - sum(before[:4])
    return Cost(ended - started, cpu)


def interleaved(
    variants: Mapping[str, Callable[[], object]], rounds: int = MINIMUM_ROUNDS
) -> dict[str, list[Cost]]:
    """Costs per variant, one per round. The order is turned by one each round."""
    names = list(variants)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            costs[name].append(measured(variants[name]))
    return costs


def median_wall(costs: list[Cost]) -> float:
    return statistics.median(cost.wall for cost in costs)


def median_cpu(costs: list[Cost]) -> float:
    return statistics.median(cost.cpu for cost in costs)
