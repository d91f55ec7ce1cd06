"""Answers that are being made for the response cache: one for each key, and which of them a change overtook."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from api.response_cache_entries import Entry
from api.response_cache_keys import Key


@dataclass(slots=True, eq=False)
class Fill:
    """One answer being made. `begun`: before anything was read."""

    begun: float
    made: asyncio.Future[Entry | None] | None = None
    """Once somebody waits; None in it when whoever made it was cancelled."""
    overtaken: bool = False
    """By something that may have changed anything."""
    changed: set[str] | None = None
    """Marks of what changed meanwhile, once something did."""

    async def joined(self) -> Entry | None:
        if self.made is None:
            self.made = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self.made)  # others wait for it, too

    def holds(self, marks: Sequence[str]) -> bool:
        """What was read is still so."""
        return not self.overtaken and (self.changed is None or self.changed.isdisjoint(marks))


@dataclass(slots=True)
class Fills:
    _joinable: dict[Key, Fill] = field(default_factory=dict)
    _all: set[Fill] = field(default_factory=set)

    def joinable(self, key: Key) -> Fill | None:
        """Begun, and not overtaken by anything yet."""
        return self._joinable.get(key)

    def begin(self, key: Key, now: float) -> Fill:
        fill = self._joinable[key] = Fill(now)
        self._all.add(fill)
        return fill

    def changed(self, marks: Sequence[str]) -> None:
        """Nobody joins any more what this may have overtaken."""
        for fill in self._all:
            if fill.changed is None:
                fill.changed = set()
            fill.changed.update(marks)
        self._joinable.clear()

    def forget(self) -> None:
        for fill in self._all:
            fill.overtaken = True
        self._joinable.clear()

    def end(self, key: Key, fill: Fill, entry: Entry | None, failure: Exception | None) -> None:
        """Told to those who wait; both None when whoever made it was cancelled."""
        self._all.discard(fill)
        if self._joinable.get(key) is fill:
            del self._joinable[key]
        if fill.made is None:
            return
        if failure is None:
            fill.made.set_result(entry)
        else:
            fill.made.set_exception(failure)
            fill.made.exception()  # it is told here also if all who waited have left

    async def ended(self) -> None:
        """Once none is under way."""
        while self._all:
            with suppress(Exception):  # told to whoever asked
                await next(iter(self._all)).joined()
