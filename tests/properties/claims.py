"""Which jobs a dispatcher may claim, told from their documents: the model beside the database's own conditions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from academy.jobs import MOST_ATTEMPTS


def claimable(jobs: Iterable[dict[str, Any]], clock: datetime) -> list[dict[str, Any]]:
    """Queued ones whose pause is over, and running ones whose lease is, unless that happened too often."""
    return [job for job in jobs if job["not_before"] <= clock and is_free(job, clock)]


def is_free(job: dict[str, Any], clock: datetime) -> bool:
    if job["state"] == "running":
        return job["lease"]["expires_at"] <= clock and in_vain(job) < MOST_ATTEMPTS
    return bool(job["state"] == "queued")


def in_vain(job: dict[str, Any]) -> int:
    """Attempts in a row that brought nothing, the running one among them."""
    if job.get("recorded", 0) > job.get("recorded_before", 0):
        return 0
    if job.get("media_id") != job.get("media_before"):
        return 0
    return int(job["attempts"] - job["handed_back"])
