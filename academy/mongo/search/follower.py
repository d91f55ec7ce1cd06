"""Keeps the index current: one process follows the catalogue's change stream and refreshes what changed.

Which one is decided by a lease. How far it came is a resume token, saved after the refreshes it stands
for: whoever follows next begins there, so a process that dies loses nothing. A token that the oplog no
longer knows means a new build. Two that follow for a moment do no harm: refreshes may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from academy.errors import AcademyError
from academy.ids import new_id
from academy.mongo.client import Database
from academy.mongo.search.generations import Generations
from academy.mongo.search.learnt import remember
from academy.mongo.search.rebuild import Rebuild
from academy.mongo.search.refresh import TRANSCRIPTS, Refresher

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 1.0
"""Between two looks at somebody else's lease, or two attempts."""
AWAIT_MILLISECONDS: Final = 1_000
SAVE_SECONDS: Final = 5.0
"""Between two tokens saved while nothing happens."""
_BATCH: Final = 50
"""Sources of one transaction."""
STATE: Final = "follower"
_NO_SUCH_TOKEN: Final = frozenset({260, 280, 286})
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""
_SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "courses": (
        "title",
        "summary",
        "description",
        "sections",
        "language",
        "programme",
        "universities",
        "instructors",
        "published_at",
        "views",
    ),
    "lectures": ("title", "description", "language", "instructors", "published", "course"),
    "instructors": ("name",),
    "universities": ("name",),
    "programmes": ("name",),
    TRANSCRIPTS: ("revision",),
}
_VIEWS: Final = ["views"]


def _pipeline() -> list[dict[str, Any]]:
    def changed(fields: tuple[str, ...]) -> list[dict[str, Any]]:
        written = {"operationType": {"$in": ["insert", "replace", "delete"]}}
        updated = [
            {f"updateDescription.updatedFields.{each}": {"$exists": True}} for each in fields
        ]
        return [written, *updated]

    wanted = [
        {"ns.coll": collection, "$or": changed(fields)} for collection, fields in _SHOWN.items()
    ]
    bell = {"ns.coll": "search_state", "updateDescription.updatedFields.bell": {"$exists": True}}
    updated = {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}}
    return [
        {"$match": {"$or": [*wanted, bell]}},
        {
            "$project": {
                "documentKey": 1,
                "ns": 1,
                "fields": {"$map": {"input": updated, "in": "$$this.k"}},
            }
        },
    ]


@dataclass(frozen=True, slots=True)
class _News:
    """Something that changed, or nothing but a newer token."""

    token: Mapping[str, Any] | None
    collection: str | None = None
    key: str = ""
    only_views: bool = False


class Follower:
    def __init__(self, database: Database, generations: Generations, refresher: Refresher) -> None:
        self._database = database
        self._generations = generations
        self._refresher = refresher
        self._state = database.search_state
        self._owner = new_id()
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._saved_at = 0.0

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="search follower")

    async def close(self) -> None:
        """Hands the lease over; waits for what is being written."""
        self._closed.set()
        if self._task is None:
            return
        # The write wakes our own stream, too.
        with contextlib.suppress(PyMongoError):
            await self._state.update_one(
                {"_id": STATE, "owner": self._owner},
                {"$set": {"owner": None, "bell": self._owner}},
            )
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        while not self._closed.is_set():
            try:
                if await self._lead():
                    await self._follow()
            except (PyMongoError, AcademyError) as error:
                log.warning("the search index is not being kept current for the moment: %s", error)
            except Exception:
                # Ended by a bug, this task would leave the index as it is without a word.
                log.exception("keeping the search index current failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._closed.wait()

    async def _lead(self) -> bool:
        """Takes or renews the lease."""
        await self._state.update_one({"_id": STATE}, {"$setOnInsert": {"owner": None}}, upsert=True)
        until = {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}
        free = {
            "$or": [
                {"owner": {"$in": [None, self._owner]}},
                {"$expr": {"$lt": ["$until", "$$NOW"]}},
            ]
        }
        taken = await self._state.update_one(
            {"_id": STATE, **free}, [{"$set": {"owner": self._owner, "until": until}}]
        )
        return bool(taken.matched_count)

    async def _follow(self) -> None:
        state = await self._state.find_one({"_id": STATE}) or {}
        try:
            await self._follow_from(state.get("token"))
        except OperationFailure as error:
            if error.code not in _NO_SUCH_TOKEN:
                raise
            log.warning("what changed since the last stop is not known any more: building anew")
            await self._state.update_one({"_id": STATE}, {"$unset": {"token": ""}})

    async def _follow_from(self, token: Mapping[str, Any] | None) -> None:
        news: asyncio.Queue[_News] = asyncio.Queue()
        async with await self._database.watch(
            _pipeline(), resume_after=token, max_await_time_ms=AWAIT_MILLISECONDS
        ) as stream:
            handling = asyncio.create_task(self._handle(news, fresh=token is None))
            try:
                # Ended by asking, never by cancelling: see `academy/mongo/feed.py`.
                while stream.alive and not self._ending(handling) and await self._lead():
                    renewed = time.monotonic()
                    while (
                        stream.alive
                        and not self._ending(handling)
                        and time.monotonic() - renewed < LEASE_SECONDS / 3
                    ):
                        change = await stream.try_next()
                        news.put_nowait(_news(change, stream.resume_token))
            finally:
                news.put_nowait(_LAST)
                await handling

    def _ending(self, handling: asyncio.Task[None]) -> bool:
        return self._closed.is_set() or handling.done()

    async def _handle(self, news: asyncio.Queue[_News], *, fresh: bool) -> None:
        await self._generations.drop_others()
        if fresh or await self._generations.serving() is None:
            # Conflict while another process builds: it began before our stream, so ours is needed.
            await Rebuild(self._database, self._generations, self._refresher).run()
        while True:
            batch = [await news.get()]
            while not news.empty():
                batch.append(news.get_nowait())
            changes = dict.fromkeys(
                (each.collection, each.key, each.only_views)
                for each in batch
                if each.collection is not None
            )
            await self._refresh(changes)
            tokens = [each.token for each in batch if each.token is not None]
            if tokens and (changes or time.monotonic() - self._saved_at > SAVE_SECONDS):
                await self._save(tokens[-1])
            if _LAST in batch:
                return

    async def _refresh(self, changes: Iterable[tuple[str, str, bool]]) -> None:
        """Of (collection, key, whether only the views changed)."""
        refresher = self._refresher
        courses: set[str] = set()
        lectures: set[str] = set()
        for collection, key, only_views in changes:
            if collection == "courses" and only_views:
                await refresher.popularity(key)
            elif collection == "courses":
                courses.add(key)
                lectures.update(await refresher.lectures_of([key]))
            elif collection == "lectures":
                lectures.add(key)
            elif collection == TRANSCRIPTS:
                lectures.add(key.partition(":")[0])
            else:
                named_courses, named_lectures = await refresher.named_in(collection, key)
                courses.update(named_courses)
                lectures.update(named_lectures)
        for some in _batches(courses):
            await remember(await refresher.refresh(courses=some))
        for some in _batches(lectures):
            await remember(await refresher.refresh(lectures=some))

    async def _save(self, token: Mapping[str, Any]) -> None:
        self._saved_at = time.monotonic()
        await self._state.update_one(
            {"_id": STATE, "owner": {"$in": [None, self._owner]}}, {"$set": {"token": token}}
        )


_LAST: Final = _News(None)


def _batches(keys: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def _news(change: Mapping[str, Any] | None, token: Mapping[str, Any] | None) -> _News:
    if change is None or change["ns"]["coll"] not in _SHOWN:
        return _News(token)
    fields = [each for each in change["fields"] if each in _SHOWN[change["ns"]["coll"]]]
    return _News(
        change["_id"], change["ns"]["coll"], str(change["documentKey"]["_id"]), fields == _VIEWS
    )
