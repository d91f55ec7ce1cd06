"""What the response cache keeps: whole answers, ready to send, within a limit of bytes.

An entry holds the messages that a server is given, with every header that the layers below had set,
so that a hit is a look-up and two sends. Forms of an answer (plain, gzip) are made once, when first
asked for.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from api.answered import Headers
from api.etags import not_modified
from api.response_cache_keys import GZIP, PLAIN, Address, Key
from api.whole_answers import Whole

Message = dict[str, Any]

PERSONAL: Final = frozenset({401, 403, 429})
"""Answers to one client, that say nothing to others who wait for the same."""
WORTH_IT: Final = 1024
"""Bytes; a smaller body fits a packet anyway."""
AT_ONCE: Final = 32 * 1024
"""Bytes that are compressed on the event loop (about a millisecond); more is done in a thread."""
OVERHEAD: Final = 4096
"""Bytes that an entry takes besides its bodies, roughly."""
NOTHING: Final[Message] = {"type": "http.response.body", "body": b""}
_OF_THE_BODY: Final = frozenset(
    {
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-security-policy",
        b"content-type",
        b"referrer-policy",
        b"strict-transport-security",
        b"x-content-type-options",
    }
)
"""Not in a 304: the reader has them with the body (RFC 9110 §15.4.5)."""
_OF_ONE_CLIENT: Final = (b"ratelimit", b"x-ratelimit")
_OF_ONE_REQUEST: Final = b"x-request-id"


@dataclass(slots=True, eq=False)
class Form:
    """One encoding of an answer, as messages. What most answers are never asked for is made when they are."""

    etag: bytes
    start: Message
    body: Message
    _whole: Whole | None = None
    _unchanged: Message | None = None
    _whole_unchanged: Whole | None = None

    @classmethod
    def of(cls, status: int, headers: Headers, body: bytes, coding: str) -> Form:
        kept = [each for each in headers if each[0] != b"content-length"]
        etag = next((value for name, value in kept if name == b"etag"), b"")
        if coding != PLAIN:
            # Other bytes, so another strong tag (RFC 9110 §8.8.3.3).
            tagged = etag.removesuffix(b'"') + f'-{coding}"'.encode()
            kept = [(name, tagged if name == b"etag" else value) for name, value in kept]
            kept.append((b"content-encoding", coding.encode()))
            etag = tagged
        kept.append((b"content-length", b"%d" % len(body)))
        return cls(
            etag,
            {"type": "http.response.start", "status": status, "headers": kept},
            {"type": "http.response.body", "body": body},
        )

    def whole(self) -> Whole:
        """`start` and `body` as they go to the wire."""
        if self._whole is None:
            self._whole = Whole.of(self.start, self.body["body"])
        return self._whole

    def unchanged(self) -> Message:
        """The start of a 304."""
        if self._unchanged is None:
            headers = [each for each in self.start["headers"] if each[0] not in _OF_THE_BODY]
            self._unchanged = {**self.start, "status": 304, "headers": headers}
        return self._unchanged

    def whole_unchanged(self) -> Whole:
        if self._whole_unchanged is None:
            self._whole_unchanged = Whole.of(self.unchanged(), b"")
        return self._whole_unchanged

    def matches(self, if_none_match: bytes) -> bool:
        if not self.etag:
            return False
        # Nearly always it is this very tag, and to read a list of them costs what a whole hit does.
        return if_none_match == self.etag or not_modified(
            if_none_match.decode("latin-1"), self.etag.decode("latin-1")
        )


@dataclass(slots=True, eq=False)
class Entry:
    """An answer. Times are of the event loop's monotonic clock, in seconds."""

    address: Address
    status: int
    headers: Headers
    content: bytes
    varies: tuple[bytes, ...] = ()
    marks: frozenset[str] = frozenset()
    """What it was made from; an answer that names nothing is not kept."""
    until: float = 0.0
    unwatched_until: float = 0.0
    """The same while nobody tells of changes."""
    used: bool = False
    forms: dict[str, Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept: Headers = []
        vary: list[bytes] = []
        dropped = () if self.status in PERSONAL else _OF_ONE_CLIENT
        if self.marks:  # it will answer other requests, too
            dropped = (*dropped, _OF_ONE_REQUEST)
        for each in self.headers:
            if each[0] == b"vary" and self.status == 200:
                vary.append(each[1])
            elif not each[0].startswith(dropped):
                kept.append(each)
        if self.status == 200:
            said = {part.strip().lower() for value in vary for part in value.split(b",")}
            vary += [each for each in self.varies if each.lower() not in said]
            if vary:
                kept.append((b"vary", b", ".join(vary)))
        self.headers = kept
        self.forms[PLAIN] = Form.of(self.status, kept, self.content, PLAIN)

    @property
    def compressible(self) -> bool:
        return self.status == 200 and any(name == b"etag" for name, _ in self.headers)

    @property
    def bytes(self) -> int:
        different = {id(form): len(form.body["body"]) for form in self.forms.values()}
        return OVERHEAD + sum(different.values())

    async def form(self, coding: str) -> Form:
        """In the encoding, or plain where that is not worth it."""
        if coding == PLAIN or not self.compressible or len(self.content) < WORTH_IT:
            made = self.forms[coding] = self.forms[PLAIN]
            return made
        packed = (
            gzip.compress(self.content, mtime=0)
            if len(self.content) <= AT_ONCE
            else await asyncio.to_thread(gzip.compress, self.content, mtime=0)
        )
        made = self.forms[coding] = Form.of(self.status, self.headers, packed, GZIP)
        return made


class Entries:
    """By key, within `most` bytes: what was not asked for since the hand last passed goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, Entry] = {}
        self._sizes: dict[Key, int] = {}
        self._by_mark: dict[str, Key | set[Key]] = {}
        """Most marks are those of one entry: a set for each would be a fifth of an answer's memory."""
        self.bytes = 0
        self.evicted = 0
        """By changes and for want of room, since the start."""
        self.get = self._kept.get

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: Key, entry: Entry) -> None:
        self._drop(key)
        self._kept[key] = entry
        for mark in entry.marks:
            keys = self._by_mark.setdefault(mark, key)
            if isinstance(keys, set):
                keys.add(key)
            elif keys is not key:
                self._by_mark[mark] = {keys, key}
        self._sizes[key] = 0
        self.weigh(key)

    def weigh(self, key: Key) -> None:
        """Again, after an entry has grown."""
        entry = self._kept.get(key)
        if entry is None:
            return
        size = entry.bytes + 2 * sum(map(len, key))
        self.bytes += size - self._sizes[key]
        self._sizes[key] = size
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
        self._sizes.clear()
        self._by_mark.clear()
        self.bytes = 0

    def _drop(self, key: Key) -> bool:
        entry = self._kept.pop(key, None)
        if entry is None:
            return False
        self.bytes -= self._sizes.pop(key)
        for mark in entry.marks:
            keys = self._by_mark.get(mark)
            if isinstance(keys, set):
                keys.discard(key)
                if not keys:
                    del self._by_mark[mark]
            elif keys == key:
                del self._by_mark[mark]
        return True
