"""Logs of an external Dask worker as those of the other services: `dask worker … --preload transcoding.worker_logs`.

Reads `ACADEMY_LOG_FORMAT` and `ACADEMY_LOG_LEVEL`. What a task says then carries the ids of its request and job.
"""

from __future__ import annotations

import logging

from academy import logs
from academy.settings import Settings


def dask_setup(_worker: object) -> None:
    """Called by Dask (its name for preloaded modules), once the worker is made."""
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    for name in ("distributed", "bokeh", "tornado"):
        logger = logging.getLogger(name)
        # Dask gives these handlers of their own, in a format of its own.
        logger.handlers.clear()
        logger.propagate = True
