"""What has to hold when everything has come to rest."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from pymongo import MongoClient

from academy.garbage import Garbage
from academy.media import INIT
from academy.settings import Settings
from academy.wiring import open_backend
from tests.journeys.decoding import decode
from tests.soak import noting
from tests.soak.town import Town, token
from tests.soak.uploads import Upload

ENDED = {"succeeded", "failed", "cancelled"}


@dataclass
class Verdict:
    uploads: int = 0
    ready: int = 0
    failed: list[str] = field(default_factory=list)
    """Reasons of those that failed."""
    lost: list[str] = field(default_factory=list)
    half_published: list[str] = field(default_factory=list)
    collected: int = 0
    """Orphans that garbage collection removed."""
    orphans: list[str] = field(default_factory=list)
    """Those it left."""
    parts: int = 0
    """Parts of uploads that the storage acknowledged."""
    acknowledged: int = 0
    """Pieces of a lecture that learners reported as watched."""
    segments: int = 0
    repeated: int = 0
    """Segments that were encoded although they had a receipt."""
    unaccounted: int = 0
    """Receipts that are there but were not counted as recorded, or the other way round."""
    outlived: list[str] = field(default_factory=list)

    @property
    def repeated_percent(self) -> float:
        return 100 * self.repeated / self.segments if self.segments else 0.0

    @property
    def clean(self) -> bool:
        wrong = [*self.lost, *self.half_published, *self.orphans, *self.outlived]
        return not wrong and not self.unaccounted and self.repeated_percent <= 2

    def line(self, kills: int) -> str:
        return (
            f"kills={kills} uploads={self.uploads} lost={len(self.lost)} "
            f"half_published={len(self.half_published)} orphans={len(self.orphans)} "
            f"repeated_work_percent={self.repeated_percent:.2f}"
        )


def pending(town: Town, uploads: Sequence[Upload]) -> list[str]:
    """Titles whose job has not ended yet."""
    headers = {"Authorization": f"Bearer {token(town, 'admin')}"}
    with httpx.Client(base_url=town.url, headers=headers, timeout=60) as client:
        return [
            each.title
            for each in uploads
            if each.lecture_id is not None
            and client.get(f"/v1/lectures/{each.lecture_id}/recording").json().get("state")
            not in ENDED
        ]


def judge(town: Town, uploads: Sequence[Upload]) -> Verdict:
    verdict = Verdict(uploads=len(uploads))
    headers = {"Authorization": f"Bearer {token(town, 'admin')}"}
    with httpx.Client(base_url=town.url, headers=headers, timeout=60) as client:
        for upload in uploads:
            if upload.lecture_id is None:
                verdict.lost.append(f"{upload.title}: never taken in: {upload.said}")
            else:
                _judge_lecture(client, upload, verdict)
    with MongoClient[dict[str, Any]](town.mongo_url) as database:
        _judge_work(database["soak"], verdict)
        _judge_parts(database["soak"], uploads, verdict)
    asyncio.run(_judge_storage(town, uploads, verdict))
    for service in town.services.values():
        service.settle()
        verdict.outlived += service.outlived
    return verdict


def _judge_lecture(client: httpx.Client, upload: Upload, verdict: Verdict) -> None:
    recording = client.get(f"/v1/lectures/{upload.lecture_id}/recording").json()
    playback = client.get(f"/v1/lectures/{upload.lecture_id}").json()["playback"]
    name = f"{upload.title} ({upload.lecture_id})"
    if recording.get("state") == "succeeded" and playback["state"] == "ready":
        verdict.ready += 1
        try:
            frames = decode(playback["hls"]).frames
        except Exception as error:
            verdict.half_published.append(f"{name}: {error}")
            return
        if frames != upload.frames:
            verdict.half_published.append(f"{name}: {frames} of {upload.frames} frames")
    elif recording.get("state") == "failed" and recording["failure"]:
        verdict.failed.append(f"{name}: {recording['failure']['code']}")
        if playback["hls"] is not None:
            verdict.half_published.append(f"{name}: failed, and yet has an address")
    else:
        verdict.lost.append(f"{name}: {recording.get('state')}, {playback['state']}")


def _judge_work(database: Any, verdict: Verdict) -> None:
    """The jobs' counters are kept in the transactions that record receipts: they are exact."""
    jobs = list(database.jobs.find())
    verdict.segments = database.receipts.count_documents({"number": {"$ne": INIT}})
    verdict.repeated = sum(job.get("repeated", 0) for job in jobs)
    recorded = sum(job.get("recorded", 0) for job in jobs)
    verdict.unaccounted = database.receipts.count_documents({}) - recorded


def _judge_parts(database: Any, uploads: Sequence[Upload], verdict: Verdict) -> None:
    """What the storage acknowledged is not asked for again."""
    completed = set(database.uploads.distinct("storage_upload_id", {"state": "completed"}))
    for upload in uploads:
        acknowledged = noting.read(upload.notes)
        verdict.parts += len(acknowledged)
        verdict.lost += [f"{upload.title}: {each}" for each in noting.lost(acknowledged, completed)]


async def _judge_storage(town: Town, uploads: Sequence[Upload], verdict: Verdict) -> None:
    wanted = {upload.lecture_id: upload.sha256 for upload in uploads}
    environment = {
        name.removeprefix("ACADEMY_").lower(): value
        for name, value in town.env.items()
        if name.startswith("ACADEMY_")
    }
    # boto3 finds these by itself, here as in the services.
    os.environ.update({name: town.env[name] for name in town.env if name.startswith("AWS_")})
    async with open_backend(Settings.load(**environment)) as backend:
        async for held in backend.stores.holdings.held_recordings():
            pieces = await asyncio.to_thread(lambda key: list(backend.storage.read(key)), held.key)
            digest = hashlib.sha256(b"".join(pieces)).hexdigest()
            if digest != wanted.get(held.lecture_id):
                verdict.lost.append(f"{held.key}: other bytes than were sent")
        garbage = Garbage(backend.stores.holdings, backend.storage)
        survey = await garbage.survey(timedelta(0))
        verdict.half_published += [f"missing: {each}" for each in survey.missing]
        verdict.collected = len(survey.orphans) + len(survey.abandoned)
        await garbage.sweep(survey)
        left = await garbage.survey(timedelta(0))
        verdict.orphans = [str(each) for each in (*left.orphans, *left.abandoned)]
