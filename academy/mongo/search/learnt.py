"""Words as people type them, kept to complete the last word of a query. They only ever suggest terms, so
they are written outside of transactions, and their counts are about right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo import UpdateOne

from academy.mongo.search.generations import Generation

HEAD: Final = 3
"""Letters of a word by which it is looked up while it is being typed."""


class Learnt:
    """Of one source: each word folded, with its terms, and the generations it went to."""

    def __init__(
        self,
        generations: Sequence[Generation] = (),
        surfaces: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.generations = generations
        self.surfaces = dict(surfaces or {})


@dataclass(slots=True)
class Learning:
    """Gathers words of many sources, so that each is written once."""

    counts: Counter[str] = field(default_factory=Counter)
    terms: dict[str, set[str]] = field(default_factory=dict)

    def add(self, learnt: Learnt) -> None:
        self.counts.update(learnt.surfaces.keys())
        for surface, terms in learnt.surfaces.items():
            self.terms.setdefault(surface, set()).update(terms)

    async def write(self, generation: Generation) -> None:
        writes: list[Any] = [
            UpdateOne(
                {"_id": surface},
                {
                    "$inc": {"count": count},
                    "$addToSet": {"terms": {"$each": sorted(self.terms[surface])}},
                    "$setOnInsert": {"heads": _heads(surface)},
                },
                upsert=True,
            )
            for surface, count in sorted(self.counts.items())
        ]
        if writes:
            await generation.words.bulk_write(writes, ordered=False)


async def remember(learnt: Learnt) -> None:
    learning = Learning()
    learning.add(learnt)
    for generation in learnt.generations:
        await learning.write(generation)


def _heads(surface: str) -> list[str]:
    return [surface[:size] for size in range(1, min(HEAD, len(surface)) + 1)]
