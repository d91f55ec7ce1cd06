"""Logs of the services: lines for people, or one JSON object per line, with request and job ids.

Both formats keep a record on what its reader takes for one: text continues indented.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from academy import tracing
from academy.correlation import job_id, request_id

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes every record has; others came with `extra` and are told."""


class JsonLines(logging.Formatter):
    """`time` (RFC 3339, UTC), `level`, `logger`, `message`, `request_id`, `job_id`, `trace_id`, `span_id`, `exception`, extras."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        ids = {"request_id": request_id.get(), "job_id": job_id.get()}
        if (traced := tracing.ids()) is not None:
            ids |= {"trace_id": traced[0], "span_id": traced[1]}
        told |= {name: value for name, value in ids.items() if value is not None}
        told |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        ids = [
            f"{name}={value}"
            for name, value in (("request", request_id.get()), ("job", job_id.get()))
            if value is not None
        ]
        line = super().formatMessage(record).replace("\n", "\n  ")
        return f"{line} [{' '.join(ids)}]" if ids else line


def configure(form: str = "text", level: str = "INFO") -> None:
    """Everything goes to standard error; replaces what was configured before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
