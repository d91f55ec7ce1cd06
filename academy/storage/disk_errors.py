"""What a disk's own errors mean to those who store on it: counted, and told as a service that is away.

A missing file is not among them: where it means a missing object, that is told before.
"""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, TypeVar

from academy.errors import Unavailable
from academy.tallies import STORAGE_ERRORS

T = TypeVar("T")
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def on_disk() -> Iterator[None]:
    """Raises Unavailable for what a disk refuses."""
    try:
        yield
    except FileNotFoundError:
        raise  # of the caller's own file: the storage's are missing objects
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        STORAGE_ERRORS.add(name)
        if error.errno in _FULL:
            raise Unavailable(
                "The disk that recordings are stored on is full: free some space and try again.",
                code="storage_full",
            ) from error
        raise Unavailable(
            f"The disk that recordings are stored on failed ({name}): try again, and tell the "
            "operators if it happens again."
        ) from error


def told(*names: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: these methods run `on_disk`, generators until their last piece."""

    def change(kind: type[T]) -> type[T]:
        for name in names:
            method = vars(kind)[name]
            wrapped = _streaming if inspect.isgeneratorfunction(method) else _guarded
            setattr(kind, name, wrapped(method))
        return kind

    return change


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def guarded(*arguments: Any, **named: Any) -> Any:
        with on_disk():
            return method(*arguments, **named)

    return guarded


def _streaming(method: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(method)
    def streaming(*arguments: Any, **named: Any) -> Iterator[Any]:
        with on_disk():
            yield from method(*arguments, **named)

    return streaming
