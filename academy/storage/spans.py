"""Spans around a storage's requests, where traces are on. Signing an address is no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

from academy import tracing
from academy.object_stores import Storage

CALLS: Final = ("put", "stat", "delete", "delete_prefix", "start", "parts", "complete", "abort")
STREAMS: Final = ("read", "list", "under_way")
"""Give their results piece by piece: their spans last until the last one."""


def spanned(storage: Storage) -> Storage:
    """The same storage, so that it keeps what else it can do; as it is where traces are off."""
    if tracing.on():
        for name in CALLS:
            setattr(storage, name, _call(name, getattr(storage, name)))
        for name in STREAMS:
            setattr(storage, name, _stream(name, getattr(storage, name)))
    return storage


def _call(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def call(*arguments: Any, **named: Any) -> Any:
        with tracing.detail(f"storage {name}", _what(arguments)):
            return work(*arguments, **named)

    return call


def _stream(name: str, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(work)
    def stream(*arguments: Any, **named: Any) -> Iterator[Any]:
        # Its context would otherwise be current in whoever takes the pieces.
        ending = tracing.started(f"storage {name}", _what(arguments))
        try:
            yield from work(*arguments, **named)
        finally:
            ending()

    return stream


def _what(arguments: tuple[Any, ...]) -> tracing.Attributes:
    return {"academy.key": str(arguments[0])} if arguments else {}
