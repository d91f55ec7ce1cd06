"""Where requests are counted, as the `limits` package wants its storages.

Its own ones do not fit: its memory walks through every client at every request, and its asynchronous
MongoDB storage needs Motor, whose life has ended.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

from limits.aio.storage import Storage

from academy.errors import Unavailable
from academy.stores import RateLimitStore

MOST_KEYS: Final = 100_000
"""Clients remembered; beyond, the one whose window began longest ago is forgotten."""


class WindowMemory(Storage):
    """Counts within this process."""

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        if ends <= time.time():
            self._windows.pop(key, None)  # the new one goes to the end of the order
            count, ends = 0, time.time() + expiry
        self.keep(key, count + amount, ends)
        return count + amount

    def keep(self, key: str, count: int, ends: float) -> None:
        self._windows[key] = (count, ends)
        while len(self._windows) > self._most:
            self._windows.popitem(last=False)

    async def get(self, key: str) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    async def get_expiry(self, key: str) -> float:
        """Unix time."""
        return self._windows.get(key, (0, time.time()))[1]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)


class SharedWindows(WindowMemory):
    """Counts in the database; this process remembers only what it was told last, for the headers.

    While the database is away it counts here: a limit is no reason to refuse.
    """

    STORAGE_SCHEME = None

    def __init__(self, store: RateLimitStore, most: int = MOST_KEYS) -> None:
        super().__init__(most)
        self._store = store

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        try:
            count, ends = await self._store.count(key, window=expiry, amount=amount)
        except Unavailable:
            return await super().incr(key, expiry, amount)
        self.keep(key, count, ends.timestamp())
        return count
