"""What the response cache keeps: whole answers, ready to send, within a limit of bytes.

An entry holds what a server is given, with every header that the layers below had set, so that a hit
is a look-up and a send. Forms of an answer (plain, gzip) are made once, when first asked for.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from api.answered import Answer, Headers
from api.response_cache_forms import Form
from api.response_cache_keys import GZIP, PLAIN, Address, Key

PERSONAL: Final = frozenset({401, 403, 429})
"""Answers to one client, that say nothing to others who wait for the same."""
WORTH_IT: Final = 1024
"""Bytes; a smaller body fits a packet anyway."""
AT_ONCE: Final = 32 * 1024
"""Bytes that are compressed on the event loop (about a millisecond); more is done in a thread."""
OVERHEAD: Final = 4096
"""Bytes that an entry takes besides its bodies, roughly."""
NOTHING: Final[dict[str, Any]] = {"type": "http.response.body", "body": b""}
_OF_ONE_CLIENT: Final = (b"ratelimit", b"x-ratelimit")
_OF_ONE_REQUEST: Final = (*_OF_ONE_CLIENT, b"x-request-id")


@dataclass(slots=True, eq=False)
class Entry:
    """An answer. Times are of the event loop's monotonic clock, in seconds."""

    address: Address
    plain: Form
    marks: tuple[str, ...] = ()
    """What it was made from; an answer that names nothing is not kept."""
    until: float = 0.0
    unwatched_until: float = 0.0
    """The same while nobody tells of changes."""
    used: bool = False
    packed: Form | None = None
    """Encoded, once that was asked for; `plain` again where it is not worth it."""
    size: int = 0
    """Bytes it was last weighed at, with its key."""

    @classmethod
    def of(
        cls,
        address: Address,
        answer: Answer,
        *,
        varies: tuple[bytes, ...] = (),
        marks: tuple[str, ...] = (),
        until: float,
        unwatched_until: float,
    ) -> Entry:
        """`varies`: what else than its route says the answer depends on."""
        status, headers, body = answer
        dropped: tuple[bytes, ...] = () if status in PERSONAL else _OF_ONE_CLIENT
        if marks:  # it will answer other requests, too
            dropped = _OF_ONE_REQUEST
        form = Form.of(status, _lasting(status, headers, dropped, varies), body)
        return cls(address, form, marks, until, unwatched_until)

    @property
    def status(self) -> int:
        return self.plain.status

    @property
    def compressible(self) -> bool:
        return self.plain.status == 200 and self.plain.etag != b""

    @property
    def bytes(self) -> int:
        packed = self.packed
        more = 0 if packed is None or packed is self.plain else len(packed.body)
        return OVERHEAD + len(self.plain.body) + more

    async def form(self, coding: str) -> Form:
        """In the encoding, or plain where that is not worth it."""
        plain = self.plain
        if coding == PLAIN:
            return plain
        if not self.compressible or len(plain.body) < WORTH_IT:
            self.packed = plain
            return plain
        content = (
            gzip.compress(plain.body, mtime=0)
            if len(plain.body) <= AT_ONCE
            else await asyncio.to_thread(gzip.compress, plain.body, mtime=0)
        )
        self.packed = made = plain.packed(content, GZIP)
        return made


def _lasting(
    status: int, headers: Headers, dropped: tuple[bytes, ...], varies: tuple[bytes, ...]
) -> Headers:
    """Those that hold for all who are given the answer, without its length."""
    kept: Headers = []
    vary: tuple[bytes, ...] = ()
    for each in headers:
        name = each[0]
        if name == b"vary" and status == 200:
            vary = (*vary, each[1])
        elif name != b"content-length" and not name.startswith(dropped):
            kept.append(each)
    if status == 200 and (vary or varies):
        kept.append((b"vary", _joined(vary, varies)))
    return kept


@lru_cache(maxsize=64)
def _joined(said: tuple[bytes, ...], varies: tuple[bytes, ...]) -> bytes:
    """Kept: routes say one of few things."""
    known = {part.strip().lower() for value in said for part in value.split(b",")}
    return b", ".join((*said, *(each for each in varies if each.lower() not in known)))


class Entries:
    """By key, within `most` bytes: what was not asked for since the hand last passed goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, Entry] = {}
        self._by_mark: dict[str, Key | set[Key]] = {}
        """Most marks are those of one entry: a set for each would be a fifth of an answer's memory."""
        self.bytes = 0
        self.evicted = 0
        """By changes and for want of room, since the start."""
        self.get = self._kept.get

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: Key, entry: Entry) -> None:
        if key in self._kept:
            self._drop(key)
        self._kept[key] = entry
        by_mark = self._by_mark
        for mark in entry.marks:
            keys = by_mark.setdefault(mark, key)
            if keys is key:
                continue
            if isinstance(keys, set):
                keys.add(key)
            else:
                by_mark[mark] = {keys, key}
        entry.size = 0
        self.weigh(key)

    def weigh(self, key: Key) -> None:
        """Again, after an entry has grown."""
        entry = self._kept.get(key)
        if entry is None:
            return
        size = entry.bytes + 2 * sum(map(len, key))
        self.bytes += size - entry.size
        entry.size = size
        while self.bytes > self._most:
            oldest = next(iter(self._kept))
            passed = self._kept[oldest]
            if passed.used and oldest != key:
                passed.used = False
                self._kept[oldest] = self._kept.pop(oldest)
            else:
                self._drop(oldest)
                self.evicted += 1

    def evict(self, marks: Iterable[str]) -> None:
        for mark in marks:
            keys = self._by_mark.pop(mark, None)
            if keys is not None:
                for key in keys if isinstance(keys, set) else (keys,):
                    self.evicted += self._drop(key)

    def clear(self) -> None:
        self.evicted += len(self._kept)
        self._kept.clear()
        self._by_mark.clear()
        self.bytes = 0

    def _drop(self, key: Key) -> bool:
        entry = self._kept.pop(key, None)
        if entry is None:
            return False
        self.bytes -= entry.size
        for mark in entry.marks:
            keys = self._by_mark.get(mark)
            if isinstance(keys, set):
                keys.discard(key)
                if not keys:
                    del self._by_mark[mark]
            elif keys == key:
                del self._by_mark[mark]
        return True
