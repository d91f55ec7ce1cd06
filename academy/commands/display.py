"""Progress for a person: a live bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:  # rich is only loaded where there is a terminal
    from rich.progress import TaskID

PLAIN_STEP = 0.1
"""Share of the whole between two plain lines."""
PLAIN_PAUSE = 10.0
"""Seconds after which a plain line comes anyway."""


class Move(Protocol):
    """Advances a bar; `speed` in times real time, `eta` in seconds."""

    def __call__(
        self,
        amount: float,
        /,
        *,
        state: str = "",
        speed: float | None = None,
        eta: float | None = None,
    ) -> None: ...


class Display(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def say(self, line: str) -> None: ...
    def bar(self, what: str, total: float, done: float = 0.0) -> AbstractContextManager[Move]: ...
    def part(self, what: str, share: float, speed: float | None) -> None:
        """How far (0..1) one of several parts is that are worked on at the same time."""
        ...


def display_on(stream: TextIO) -> Display:
    return LiveDisplay(stream) if stream.isatty() else PlainDisplay(stream)


class PlainDisplay:
    """Lines only: for logs and pipes."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._ended: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, line: str) -> None:
        if self._stream is not None:
            print(line, file=self._stream, flush=True)

    def part(self, what: str, share: float, speed: float | None) -> None:
        """A line when it is done."""
        if share >= 1.0 and what not in self._ended:
            self._ended.add(what)
            self.say(f"  {what} done{_told('', speed, None)}")
        elif share < 1.0:
            self._ended.discard(what)

    @contextmanager
    def bar(self, what: str, total: float, done: float = 0.0) -> Iterator[Move]:
        reached, shown, shown_at, told = done, -1.0, 0.0, ""

        def move(
            amount: float,
            /,
            *,
            state: str = "",
            speed: float | None = None,
            eta: float | None = None,
        ) -> None:
            nonlocal reached, shown, shown_at, told
            reached += amount
            share = reached / total if total else 1.0
            late = time.monotonic() - shown_at > PLAIN_PAUSE
            if state == told and not late and share < 1 and share - shown < PLAIN_STEP:
                return
            if share == shown and state == told and not late:
                return
            shown, shown_at, told = share, time.monotonic(), state
            self.say(f"{what} {share:4.0%}{_told(state, speed, eta)}")

        move(0.0)
        yield move


class LiveDisplay:
    """Rich progress bars: one for the whole, one below it for each part under way."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=Console(file=stream),
        )
        self._parts: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def part(self, what: str, share: float, speed: float | None) -> None:
        """A bar of its own, which goes when it is full."""
        task = self._parts.get(what)
        if share >= 1.0:
            if task is not None:
                self._progress.remove_task(self._parts.pop(what))
            return
        if task is None:
            task = self._parts[what] = self._progress.add_task(f"  {what}", total=1.0, told="")
        self._progress.update(task, completed=share, told=_told("", speed, None))

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    @contextmanager
    def bar(self, what: str, total: float, done: float = 0.0) -> Iterator[Move]:
        task = self._progress.add_task(what, total=total, told="")
        self._progress.update(task, completed=done)
        begun, sent = time.monotonic(), 0.0

        def move(
            amount: float,
            /,
            *,
            state: str = "",
            speed: float | None = None,
            eta: float | None = None,
        ) -> None:
            nonlocal sent
            sent += amount
            told = _told(state, speed, eta) if state else _rate(sent, time.monotonic() - begun)
            self._progress.update(task, advance=amount, told=told)

        yield move


def _told(state: str, speed: float | None, eta: float | None) -> str:
    words = [state] if state else []
    if speed:
        words.append(f"{speed:.1f}× real time")
    if eta is not None:
        words.append(f"about {_time(eta)} left")
    return "  " + ", ".join(words) if words else ""


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _rate(amount: float, seconds: float) -> str:
    """Bytes per second, for bars that count bytes."""
    return f"  {amount / seconds / 1e6:.1f} MB/s" if amount > 1 and seconds > 0.5 else ""
