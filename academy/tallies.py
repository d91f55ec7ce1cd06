"""Counts of what went wrong in this process, kept where it happens and read by whoever tells metrics.

So storage and stores need not know of Prometheus. Only ever grow; thread-safe.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final


class Tally:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, label: str, count: int = 1) -> None:
        with self._lock:
            self._counts[label] += count

    def take(self) -> Mapping[str, int]:
        """What was added since this was last asked: to be told to another process, once."""
        with self._lock:
            new, self._taken = self._counts - self._taken, self._counts.copy()
            return dict(new)

    def read(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._counts)


STORAGE_ERRORS: Final = Tally()
"""By kind: `unreachable`, `refused`, or the server's own code; of a disk the error's name (`ENOSPC` …)."""
