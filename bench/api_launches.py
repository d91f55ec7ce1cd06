"""CPU of servers compared so that a figure means something.

Two things move it while the code stays the same. What else the machine does: so slices are short (some
hundredths of a second of CPU), turn about, and a launch's figure is the ratio of their medians. And where a process
happens to lie in memory, which makes all its slices a tenth faster or slower: so every server is
launched several times, and of the launches' ratios the median is told. Their range is told, too.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from bench.api_servers import Server
from bench.registry import Result

LAUNCHES: Final = 5
"""Odd, so that the median is one that was measured."""
TURNS: Final = 16
"""Of each launch, besides the first two, which warm up."""
WARM_UP: Final = 2
ATTEMPTS: Final = 5
UNIT: Final = "requests/CPU s"

Slices = Mapping[str, Sequence[float]]
"""Seconds of CPU of each turn, by variant."""


def slices(
    variants: Mapping[str, tuple[Server, Callable[[], object]]],
    unwanted: Callable[[], int] = int,
) -> Slices:
    """A turn in which `unwanted` grew is made again: on a machine so busy that the change stream is not heard
    of for a second, the cache rightly makes its answers anew, and that is not what is measured.
    """
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(WARM_UP + TURNS):
        order = names[turn % len(names) :] + names[: turn % len(names)]
        for attempt in range(1, ATTEMPTS + 1):
            seen = unwanted()
            spent = {name: _cost(*variants[name]) for name in order}
            if unwanted() == seen:
                break
            if attempt == ATTEMPTS:
                raise RuntimeError("The machine is too busy: what is kept is forgotten every time.")
        if turn >= WARM_UP:
            for name in names:
                seconds[name].append(spent[name])
    return seconds


def _cost(server: Server, work: Callable[[], object]) -> float:
    before = server.cpu()
    work()
    return server.cpu() - before


def launched(launch: Callable[[], Slices]) -> list[Slices]:
    return [launch() for _ in range(LAUNCHES)]


def compared(name: str, made: Iterable[Slices], *, count: int, ours: str, floor: str) -> Result:
    """The launch with the median ratio; `count`: requests in a slice."""
    results = sorted((_one(name, each, count, ours, floor) for each in made), key=_ratio)
    told = "  ".join(f"{each.ratio:.3f}" for each in results)
    print(f"{name}: launches {told}", file=sys.stderr)
    return results[len(results) // 2]


def _one(name: str, each: Slices, count: int, ours: str, floor: str) -> Result:
    rates = {variant: count / statistics.median(each[variant]) for variant in (ours, floor)}
    return Result.of(name, rates[ours], UNIT, rates[floor])


def _ratio(result: Result) -> float:
    return result.ratio
