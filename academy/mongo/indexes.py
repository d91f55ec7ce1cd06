"""Every index, created at start; creating one that exists costs nothing.

Text order uses one index per language of the interface, with that language's collation (pinyin for
Chinese). The unique ones are rules: each says which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collation import Collation
from pymongo.errors import OperationFailure

from academy.jobs import ACTIVE
from academy.mongo.client import Database
from academy.mongo.forgetting import KEPT as ERASURES_KEPT
from academy.mongo.outbox import KEPT as EVENTS_KEPT

NAMESPACE_EXISTS: Final = 48
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
PUBLISHED: Final[dict[str, Any]] = {"published_at": {"$gt": EPOCH}}
"""Of courses; as a partial index's filter and, in the same words, in every query that uses it."""
TITLE_LANGUAGES: Final = ("zh", "en", "fr")
_NEWEST: Final = [("published_at", DESCENDING), ("_id", ASCENDING)]


def title_collation(language: str) -> Collation:
    return Collation(locale=language)


def _named_by_title() -> list[IndexModel]:
    """For joins to what courses name while these are sorted by title: a collation holds for a whole command,
    and the index on `_id` knows none. Slugs are equal under a collation if and only if they are.
    """
    return [
        IndexModel(
            [("_id", 1), ("revision", 1)],
            collation=title_collation(language),
            name=f"slug_{language}",
        )
        for language in TITLE_LANGUAGES
    ]


INDEXES: Final[dict[str, list[IndexModel]]] = {
    "universities": _named_by_title(),
    "programmes": _named_by_title(),
    "instructors": [IndexModel("subject", sparse=True), *_named_by_title()],
    "courses": [
        IndexModel(_NEWEST, partialFilterExpression=PUBLISHED),
        IndexModel([("universities", 1), *_NEWEST], partialFilterExpression=PUBLISHED),
        IndexModel([("programme", 1), *_NEWEST], partialFilterExpression=PUBLISHED),
        IndexModel([("instructors", 1), *_NEWEST], partialFilterExpression=PUBLISHED),
        IndexModel([("views", -1), ("_id", 1)], partialFilterExpression=PUBLISHED),
        *(
            IndexModel(
                [(f"title_keys.{language}", 1), ("_id", 1)],
                partialFilterExpression=PUBLISHED,
                collation=title_collation(language),
                name=f"title_{language}",
            )
            for language in TITLE_LANGUAGES
        ),
        IndexModel([("owner", 1), ("created_at", -1), ("_id", 1)]),
        IndexModel([("instructors", 1), ("created_at", -1), ("_id", 1)]),
    ],
    "lectures": [
        IndexModel([("course", 1), ("position", 1), ("created_at", 1)]),
        IndexModel("captions_due", partialFilterExpression={"captions_due": True}),
    ],
    "invitations": [IndexModel([("lecture_id", 1), ("created_at", -1)])],
    "captions": [IndexModel([("lecture_id", 1), ("language", 1)])],
    "uploads": [
        IndexModel([("lecture_id", 1), ("number", 1)], unique=True),  # uploads are numbered
        IndexModel([("state", 1), ("expires_at", 1)]),
        IndexModel([("created_by", 1), ("state", 1)]),
        IndexModel("recording_id"),
        IndexModel("storage_upload_id"),
        IndexModel("cleaned", partialFilterExpression={"cleaned": False}),
    ],
    "recordings": [
        IndexModel("upload_id", unique=True),  # completing twice makes one recording
        IndexModel([("lecture_id", 1), ("number", -1)]),
    ],
    "jobs": [
        # One active job per recording.
        IndexModel(
            "recording_id",
            unique=True,
            name="one_active",
            partialFilterExpression={"state": {"$in": sorted(state.value for state in ACTIVE)}},
        ),
        # Two retries at once make one job.
        IndexModel([("recording_id", 1), ("ordinal", -1)], unique=True),
        IndexModel([("state", 1), ("attempts", 1), ("due", 1), ("created_at", 1)]),
        IndexModel("lecture_id"),
        IndexModel([("created_at", -1), ("_id", 1)]),
        IndexModel([("state", 1), ("created_at", -1), ("_id", 1)]),
        IndexModel("campaign", partialFilterExpression={"campaign": {"$type": "string"}}),
    ],
    "migrations": [],
    "transcoders": [IndexModel("seen_at", expireAfterSeconds=86_400)],
    "media": [IndexModel("job_id"), IndexModel("lecture_id")],
    "takedowns": [
        IndexModel([("taken_down_at", -1), ("_id", 1)]),
        IndexModel("lecture_id"),
        IndexModel("unfinished", partialFilterExpression={"unfinished": True}),
    ],
    # A segment exists once.
    "receipts": [IndexModel([("media_id", 1), ("track", 1), ("number", 1)], unique=True)],
    "enrolments": [
        IndexModel("course"),
        IndexModel([("subject", 1), ("enrolled_at", -1), ("course", 1)]),
    ],
    "progress": [
        IndexModel([("subject", 1), ("course", 1)]),
        IndexModel("lecture"),
        IndexModel("course"),
    ],
    "certificates": [
        # One certificate per learner and course; those of erased learners have no subject.
        IndexModel(
            [("subject", 1), ("course", 1)],
            unique=True,
            partialFilterExpression={"subject": {"$type": "string"}},
        ),
        IndexModel([("course", 1), ("revoked_at", 1)]),
        IndexModel("revoked_at", partialFilterExpression={"revoked_at": {"$type": "date"}}),
    ],
    "opportunities": [
        IndexModel([("closes_on", 1), ("_id", 1)]),
        IndexModel([("programmes", 1), ("closes_on", 1), ("_id", 1)]),
    ],
    "erasures": [IndexModel("at", expireAfterSeconds=int(ERASURES_KEPT.total_seconds()))],
    "caption_transcripts": [IndexModel("lecture_id")],
    "search_state": [],
    "idempotency": [IndexModel("expires_at", expireAfterSeconds=0)],
    "rate_limits": [IndexModel("ends_at", expireAfterSeconds=0)],
    "webhooks": [IndexModel([("created_at", -1), ("_id", 1)])],
    "deliveries": [
        IndexModel("created_at", expireAfterSeconds=int(EVENTS_KEPT.total_seconds())),
        IndexModel([("endpoint_id", 1), ("created_at", -1), ("_id", 1)]),
        IndexModel("due_at", partialFilterExpression={"state": "pending"}),
    ],
    "events": [
        IndexModel("occurred_at", expireAfterSeconds=int(EVENTS_KEPT.total_seconds())),
        IndexModel([("pending", 1), ("occurred_at", 1)], partialFilterExpression={"pending": True}),
    ],
}

_BY_RANK: Final = [("rank", DESCENDING), ("_id", ASCENDING)]
SEARCH_INDEXES: Final[dict[str, list[IndexModel]]] = {
    # Of every generation of the search index. They carry the sort key behind the term, so that the
    # commonest word costs as little as the rarest.
    "entries": [
        IndexModel([("title", 1), ("kind", 1), *_BY_RANK]),
        IndexModel([("terms", 1), ("kind", 1), *_BY_RANK]),
        IndexModel("course"),
    ],
    "moments": [
        IndexModel([("terms", 1), *_BY_RANK]),
        IndexModel([("lecture", 1), ("language", 1)]),
        IndexModel("course"),
    ],
    "words": [IndexModel([("heads", 1), ("count", DESCENDING)])],
    "sources": [],
}


async def create_indexes(database: Database) -> None:
    """Also makes the collections, which transactions then need not."""
    existing = set(await database.list_collection_names())

    async def prepare(name: str, indexes: list[IndexModel]) -> None:
        if indexes:
            await database[name].create_indexes(indexes)
        elif name not in existing:
            # Services that start together on an empty database make it at the same time.
            with there_already():
                await database.create_collection(name, check_exists=False)

    await asyncio.gather(*(prepare(name, indexes) for name, indexes in INDEXES.items()))


@contextmanager
def there_already() -> Iterator[None]:
    """Lets a collection be made that somebody else has made meanwhile."""
    try:
        yield
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise
