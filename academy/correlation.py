"""Which request and which job the code that runs now works for: told to logs and kept with jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from academy.ids import new_id

request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
job_id: Final[ContextVar[str | None]] = ContextVar("job_id", default=None)

_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def accepted(given: str | None) -> str:
    """A request id from outside where it is harmless in logs, else a new one."""
    return given if given is not None and _GIVEN.fullmatch(given) else new_id()


@contextmanager
def working_for(*, request: str | None = None, job: str | None = None) -> Iterator[None]:
    """Whatever is logged within carries these ids."""
    outer_request, outer_job = request_id.set(request), job_id.set(job)
    try:
        yield
    finally:
        job_id.reset(outer_job)
        request_id.reset(outer_request)
