"""One soak from start to verdict."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from academy.media import INIT
from tests.footage import make
from tests.journeys.installation import wait_until
from tests.soak.invariants import ENDED, Verdict, judge, pending
from tests.soak.learners import Learner
from tests.soak.mischief import Mischief
from tests.soak.town import Town, course, town
from tests.soak.uploads import Upload, Uploads

PROFILE = """
soak:
  segment_seconds: 1
  video:
    - {size: 180, crf: 30, max_rate: 400000, buffer: 800000, preset: ultrafast, level: "3.0"}
    - {size: 90, crf: 30, max_rate: 200000, buffer: 400000, preset: ultrafast, level: "3.0"}
"""
RATE = 15
COURSE = "soak"
LEARNERS = 2
TRACKS = 3
"""Two rungs and the sound."""
AHEAD = 10
"""Kills that need nothing to be done yet; in a long form, a twentieth of all."""
ON_THEIR_WAY = 12
"""Recordings that were begun and have not ended."""


@dataclass(frozen=True)
class Plan:
    uploads: int
    kills: int
    seconds: int = 10
    """Of each recording, at least."""
    seed: int = 1
    rest: float = 600.0
    """Seconds that unfinished jobs are given once nothing is killed any more."""


class Headway:
    """How far the work is, and so how many kills are allowed: they keep step with it, to its end.

    A machine so busy that services die faster than they start would else be through with all its kills
    before the first recording is.
    """

    def __init__(self, mongo_url: str, plan: Plan, recordings: Sequence[Upload]) -> None:
        self._client = MongoClient[dict[str, Any]](mongo_url, serverSelectionTimeoutMS=2000)
        self._plan = plan
        self._segments = TRACKS * sum(each.frames // RATE for each in recordings)
        self._recorded = self._ended = self._active = 0
        self.taken_in = threading.Event()
        """Set: every upload has ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def look(self) -> None:
        with suppress(PyMongoError):  # it is killed, too
            database = self._client["soak"]
            self._recorded = database.receipts.count_documents({"number": {"$ne": INIT}})
            self._ended = database.jobs.count_documents({"state": {"$in": sorted(ENDED)}})
            self._active = database.jobs.count_documents({"state": {"$nin": sorted(ENDED)}})

    def allowed(self) -> int:
        self.look()
        # Jobs that failed leave segments out.
        over = self.taken_in.is_set() and not self._active
        share = 1.0 if over else min(1.0, self._recorded / self._segments)
        return round(self._plan.kills * share) + max(AHEAD, self._plan.kills // 20)

    def room(self, begun: int) -> bool:
        """Whether another upload may begin: there are some on their way until the end."""
        self.look()
        return begun - self._ended < ON_THEIR_WAY


def soak(plan: Plan, folder: Path) -> tuple[Mischief, Verdict]:
    profile = folder / "soak.yaml"
    profile.write_text(PROFILE)
    recordings = _recordings(plan, folder)
    with ExitStack() as stack:
        built = stack.enter_context(town(folder, profile=str(profile)))
        lecture_id = course(built, COURSE)
        learners = [Learner(built, lecture_id, f"learner-{number}") for number in range(LEARNERS)]
        headway = stack.enter_context(Headway(built.mongo_url, plan, recordings))
        uploads = Uploads(built, COURSE, recordings, headway.room)
        mischief = Mischief(built, plan.seed)
        uploads.start()
        for learner in learners:
            learner.start()

        def wait_for_uploads() -> None:
            uploads.join()
            headway.taken_in.set()

        threading.Thread(target=wait_for_uploads, daemon=True).start()
        # Kills go on while jobs are encoded, not only while bytes arrive.
        mischief.go_on(plan.kills, headway.allowed)
        _say(f"{dict(mischief.done)}")
        wait_until(
            headway.taken_in.is_set, "every upload is taken in", also=built.logs, patience=plan.rest
        )
        wait_until(built.ready, "the API is ready again", also=built.logs)
        wait_until(
            lambda: not _still_pending(built, recordings),
            "every job has ended",
            also=built.logs,
            patience=plan.rest,
        )
        for learner in learners:
            learner.stop()
        verdict = judge(built, recordings)
        for learner in learners:
            verdict.lost += learner.missing()
            verdict.acknowledged += len(learner.acknowledged)
    if verdict.lost:
        _say(f"killed: {dict(mischief.killed)}")
    for name in ("failed", "lost", "half_published", "orphans", "outlived"):
        for each in getattr(verdict, name):
            _say(f"{name}: {each}")
    _say(
        f"ready={verdict.ready} failed={len(verdict.failed)} collected={verdict.collected} "
        f"parts={verdict.parts} segments={verdict.segments} repeated={verdict.repeated} "
        f"unaccounted={verdict.unaccounted} pieces_watched={verdict.acknowledged}"
    )
    return mischief, verdict


def _still_pending(built: Town, uploads: list[Upload]) -> list[str]:
    time.sleep(1.0)
    return pending(built, uploads)


def _recordings(plan: Plan, folder: Path) -> list[Upload]:
    """Three lengths in turn, each upload a file of its own."""
    made = []
    for number in range(plan.uploads):
        seconds = plan.seconds + 4 * (number % 3)
        source = folder / f"{seconds}.mp4"
        if not source.exists():
            make("lecture", source, duration=seconds, rate=str(RATE))
        own = folder / f"lecture-{number}.mp4"
        # A `free` box tells them apart and makes several parts of some.
        padding = (9 << 20) if number % 3 == 0 else 64
        mark = number.to_bytes(8, "big")
        box = (padding + 8).to_bytes(4, "big") + b"free" + mark + bytes(padding - len(mark))
        own.write_bytes(source.read_bytes() + box)
        made.append(Upload(own, f"Lecture {number}", seconds * RATE))
    return made


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
