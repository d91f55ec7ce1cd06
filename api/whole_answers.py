"""A kept answer goes to the wire in one piece, and without a task.

uvicorn makes a task for each request, lets the application send two messages, and checks and joins every
header line of them anew: more than half of what a kept answer costs, though there is nothing to wait for and its lines
never change. So this server first asks the application whether it has the answer ready
(`ResponseCache.ready`). Under any other server, and in tests without one, the same answers are sent as ASGI messages.

One that had to be made first, and is kept, goes the same way out of its task.

The bytes are those that uvicorn would have written. Whatever is not plain is left to it: a connection
that ends with the answer, a reader who is slow, requests that wait behind one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from api.answered import Headers
from api.header_limit import LimitedHeads

WRITING: Final = "academy.writing"
"""Where an application is given, in the scope, a way to have a whole answer written that it had to make
first: a function of the answer, which says whether it was written. It has to be taken out of the scope, or
the two would hold each other.
"""
EMPTY: Final = b"\r\n"


class Whole(NamedTuple):
    """An answer as it goes to the wire; what the server adds (`Date`) comes after the status line."""

    status_line: bytes
    lines: bytes
    """With the empty one."""
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Headers, body: bytes) -> Whole:
        """Of headers whose names and values are in order, as those of kept answers are."""
        return cls(STATUS_LINE[status], _lines(headers) + EMPTY, body)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % each for each in headers)


class Answering(Protocol):
    """An application that may have answers ready."""

    @property
    def ready(self) -> Callable[[Any], Whole | None]: ...


class WholeAnswers(LimitedHeads):
    """uvicorn's protocol, for an application that is `Answering`."""

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._ready = config.app.ready

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # With others waiting behind it, each answer would begin the next one within itself.
        if cycle.keep_alive and not self.pipeline and not self.flow.write_paused:
            answer = self._ready(cycle.scope)
            if answer is not None:
                self._answer(cycle, answer)
                return
            scope: dict[str, Any] = cycle.scope  # type: ignore[assignment]
            scope[WRITING] = partial(self._answer_later, cycle)
        super()._start_asgi_task(cycle, app)

    def _answer_later(self, cycle: RequestResponseCycle, answer: Whole) -> bool:
        """Meanwhile the server may have begun to stop, or the reader has left or become slow."""
        plain = cycle.keep_alive and not self.pipeline and not self.flow.write_paused
        if cycle.disconnected or not plain:
            return False
        self._answer(cycle, answer)
        return True

    @staticmethod
    def _answer(cycle: RequestResponseCycle, answer: Whole) -> None:
        status_line, lines, body = answer
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join((status_line, _lines(cycle.default_headers), lines, body)))
        cycle.on_response()
