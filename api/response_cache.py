"""Public answers, kept whole in front of the application: a hit costs what a bare server costs.

Correct before fast:

- Only GET and HEAD of the routes it was told, without `Authorization` and `Cookie`; only answers whose
  route said what they were made from (`api/provenance.py`).
- One fill per key at a time, by the application itself with the canonical request, in the task of whoever
  asked first; whoever asks meanwhile waits for it. A client that leaves does not end it: uvicorn lets its task go
  on. Under a server that cancels it, those who wait begin anew.
- A change evicts what was made from it (`academy.catalogue_stores.PublicChanges`). A fill that a change overtook
  is given to those who wait for it, is not kept, and nobody joins it any more.
- Kept answers are believed while the stream of changes was heard of within `TRUST` seconds. A stream
  that is silent for longer or lost has everything forgotten, and until it is back an answer lives for
  `UNWATCHED` seconds from the start of its reading. None lives longer than `LIFE`.
- A write to the catalogue through this process forgets everything before it is answered, so who writes
  reads it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answered import Answer
from api.provenance import SCOPE_KEY, Provenance
from api.response_cache_entries import NOTHING, PERSONAL, Entries, Entry
from api.response_cache_fills import Fills
from api.response_cache_keys import Address, Addresses, Key
from api.response_cache_spellings import Meaning, Spellings
from api.whole_answers import WRITING, Whole

TRUST: Final = 0.8
"""Seconds without news of the change stream for which what is kept is believed."""
UNWATCHED: Final = 0.5
"""Seconds that an answer lives while there is no stream."""
LIFE: Final = 60.0
"""Seconds that an answer lives at most."""
MOST: Final = 64 * 1024**2
"""Bytes kept."""
LARGEST: Final = 1024**2
"""Bytes of one answer."""
KEPT: Final = frozenset({200, 307})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Direct = Callable[[Scope, APIRoute], Awaitable[Answer | None]]
"""Answers as the application does, or not at all."""


class ResponseCache:
    """Wraps an ASGI application. Passes everything on until it is told of changes (`opened`)."""

    def __init__(
        self,
        app: ASGIApp,
        addresses: Addresses,
        *,
        writing: Collection[str] = (),
        direct: Direct | None = None,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`writing`: tags of the routes that write what is public. `direct`: a shorter way to an answer."""
        self._app = app
        self._direct = direct
        self._addresses = addresses
        self._varies = addresses.varies
        self._writing = frozenset(writing)
        self._clock = clock
        self._entries = Entries(most)
        self._spellings = Spellings(addresses)
        self._known = self._spellings.known
        self._fills = Fills()
        self._following = False
        self._trusted_until = 0.0
        self.cleared = 0
        self.filled = 0

    @property
    def entries(self) -> Entries:
        return self._entries

    @property
    def addresses(self) -> tuple[Address, ...]:
        return self._addresses.known

    # What is told by the stream of changes (`academy.catalogue_stores.ChangeListener`).

    def opened(self) -> None:
        """From now on every change is told. What was missed before is forgotten with all else."""
        self._following = True
        self.forget()
        self._trusted_until = self._clock() + TRUST

    def heard(self) -> None:
        """Nothing is untold up to now."""
        now = self._clock()
        if now > self._trusted_until:
            self.forget()  # changes since the last news may not have come yet, though the next has
        self._trusted_until = now + TRUST

    def changed(self, marks: Iterable[str]) -> None:
        marks = list(marks)
        self._fills.changed(marks)
        self._entries.evict(marks)

    def lost(self) -> None:
        self._trusted_until = 0.0
        self.forget()

    def forget(self) -> None:
        """Everything, also what is being read."""
        self._fills.forget()
        self._entries.clear()
        self.cleared += 1

    async def close(self) -> None:
        """Nobody tells of changes any more. Waits for the fills under way: they use the stores."""
        self._following = False
        self.lost()
        await self._fills.ended()

    # What is asked by clients.

    def ready(self, scope: Scope) -> Whole | None:
        """What is kept for a request whose like was answered before: for a server that then need not wait.

        All in a row: each call more would cost it a fiftieth.
        """
        if scope["method"] != "GET" or not self._following:
            return None
        headers = dict(scope["headers"])
        get = headers.get
        meaning = self._known.get(
            (
                scope["path"],
                scope["query_string"],
                get(b"accept-language"),
                get(b"accept-encoding"),
                get(b"origin"),
            )
        )
        if meaning is None or b"authorization" in headers or b"cookie" in headers:
            return None
        entry = self._kept(meaning.key)
        if entry is None:
            return None
        form = entry.packed if meaning.coding else entry.plain
        if form is None:
            return None
        if_none_match = get(b"if-none-match")
        if if_none_match is not None and form.matches(if_none_match):
            self._count(entry, "GET", 304)
            return form.whole_unchanged()
        self._count(entry, "GET", form.status)
        return form.whole()

    def _kept(self, key: Key) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock()
        if entry.until > now and (now < self._trusted_until or now < entry.unwatched_until):
            entry.used = True
            return entry
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        write = scope.pop(WRITING, None)
        if not self._following or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method != "GET" and method != "HEAD":  # noqa: PLR1714 - twice as fast as a set
            await (self._app if method in SAFE else self._write)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        get = headers.get
        if b"authorization" in headers or b"cookie" in headers:
            await self._app(scope, receive, send)
            return
        spelling = (
            scope["path"],
            scope["query_string"],
            get(b"accept-language"),
            get(b"accept-encoding"),
            get(b"origin"),
        )
        meaning = self._known.get(spelling) or self._spellings.understood(spelling)
        if meaning is None:
            await self._app(scope, receive, send)
            return
        entry = self._kept(meaning.key)
        if entry is None:
            entry, own = await self._filled(meaning, scope)
            if entry.status in PERSONAL and not own:
                await self._app(scope, receive, send)
                return
        form = entry.packed if meaning.coding else entry.plain
        if form is None:
            form = await entry.form(meaning.coding)
            self._entries.weigh(meaning.key)
        if_none_match = get(b"if-none-match")
        same = if_none_match is not None and form.matches(if_none_match)
        self._count(entry, method, 304 if same else form.status)
        if (
            write is not None
            and entry.marks  # what else is answered has not been looked at
            and method == "GET"
            and write(form.whole_unchanged() if same else form.whole())
        ):
            return
        await send(form.unchanged if same else form.start)
        await send(form.content if method == "GET" and not same else NOTHING)

    @staticmethod
    def _count(entry: Entry, method: str, status: int) -> None:
        address = entry.address
        if method == "GET" and status == 200:
            address.found += 1
        elif method == "GET" and status == 304:
            address.not_modified += 1
        else:
            address.others[method, status] += 1

    async def _filled(self, meaning: Meaning, scope: Scope) -> tuple[Entry, bool]:
        """And whether this request made it."""
        while True:
            fill, now = self._fills.joinable(meaning.key), self._clock()
            if fill is None or not (now < self._trusted_until or now < fill.begun + UNWATCHED):
                return await self._fill(meaning, scope, now), True
            entry = await fill.joined()
            if entry is None:
                # Who made it was cancelled, and another may have begun and ended since.
                entry = self._kept(meaning.key)
            if entry is not None:
                return entry, False

    async def _fill(self, meaning: Meaning, scope: Scope, now: float) -> Entry:
        fill = self._fills.begin(meaning.key, now)
        entry = failure = None
        try:
            entry = await self._made(now, meaning, scope)
            if entry.marks and fill.holds(entry.marks) and len(entry.plain.body) <= LARGEST:
                self._entries.put(meaning.key, entry)
            self.filled += 1
        except Exception as error:
            failure = error
            raise
        else:
            return entry
        finally:
            self._fills.end(meaning.key, fill, entry, failure)

    async def _made(self, begun: float, meaning: Meaning, scope: Scope) -> Entry:
        """By the application, asked in the key's own words."""
        provenance, route = Provenance(), meaning.address.route
        asked = _asked(scope, meaning.key, provenance)
        answer = None
        if self._direct is not None and route is not None:
            answer = await self._direct(asked, route)
        if answer is None:
            # What was told on the way that led to nothing does not hold.
            provenance = Provenance()
            answer = await self._usual(_asked(scope, meaning.key, provenance))
        marks: tuple[str, ...] = ()
        if answer.status in KEPT and not any(name == b"set-cookie" for name, _ in answer.headers):
            marks = tuple(provenance.marks)
        until = begun + LIFE
        if provenance.until is not None:
            until = min(until, self._clock() + provenance.until - time.time())
        return Entry.of(
            meaning.address,
            answer,
            varies=self._varies,
            marks=marks,
            until=until,
            unwatched_until=begun + UNWATCHED,
        )

    async def _usual(self, asked: dict[str, Any]) -> Answer:
        start: Message = {}
        chunks: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                chunks.append(message.get("body", b""))

        await self._app(asked, _no_body, keep)
        headers = [(bytes(name).lower(), bytes(value)) for name, value in start["headers"]]
        return Answer(start["status"], headers, b"".join(chunks))

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                tags = getattr(scope.get("route"), "tags", ())
                if not self._writing.isdisjoint(tags):
                    self.forget()
            await send(message)

        await self._app(scope, receive, sending)


_PASSED_ON: Final = frozenset({b"host", b"x-request-id"})


def _asked(scope: Scope, key: Key, provenance: Provenance) -> dict[str, Any]:
    """The canonical request."""
    return {
        **scope,
        "method": "GET",
        "query_string": key.query.encode("latin-1"),
        "headers": _headers(scope, key),
        SCOPE_KEY: provenance,
    }


def _headers(scope: Scope, key: Key) -> list[tuple[bytes, bytes]]:
    kept = [each for each in scope["headers"] if each[0] in _PASSED_ON]
    if key.languages:
        kept.append((b"accept-language", key.languages.encode("latin-1")))
    if key.origin:
        kept.append((b"origin", key.origin.encode("latin-1")))
    return kept


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
