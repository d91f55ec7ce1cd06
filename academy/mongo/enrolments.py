"""Enrolments: one document per learner and course."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from academy.enrolment import Enrolment
from academy.errors import NotFound
from academy.mongo.client import (
    Database,
    Document,
    Session,
    in_transaction,
    unavailable_when_down,
)
from academy.mongo.paging import fetch_page, instant_of, text_of
from academy.store_values import Page, Position


def _key(subject: str, course: str) -> Document:
    """The order of the members matters: `_id` is compared as bytes."""
    return {"course": course, "subject": subject}


def _build(document: Document) -> Enrolment:
    return Enrolment.model_validate({**document, **document["_id"]})


@unavailable_when_down
class MongoEnrolmentStore:
    """Implements `academy.learner_stores.EnrolmentStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._enrolments = database.enrolments

    async def enrol(self, enrolment: Enrolment) -> tuple[Enrolment, bool]:
        key = _key(enrolment.subject, enrolment.course)

        async def work(session: Session) -> tuple[Enrolment, bool]:
            # A write to the course, so that its deletion and this never pass each other.
            course = await self._database.courses.update_one(
                {"_id": enrolment.course}, {"$inc": {"enrolments_made": 1}}, session=session
            )
            if not course.matched_count:
                raise NotFound(f"There is no course “{enrolment.course}”.")
            known = await self._enrolments.find_one({"_id": key}, session=session)
            if known is not None:
                return _build(known), False
            await self._enrolments.insert_one(
                {"_id": key, **enrolment.model_dump()}, session=session
            )
            return enrolment, True

        known = await self.get(enrolment.subject, enrolment.course)
        if known is not None:
            return known, False
        try:
            return await in_transaction(self._database, work)
        except DuplicateKeyError:  # the same learner, twice at the same moment
            return _build(await self._enrolments.find_one({"_id": key}) or {"_id": key}), False

    async def leave(self, subject: str, course: str) -> None:
        await self._enrolments.delete_one({"_id": _key(subject, course)})

    async def get(self, subject: str, course: str) -> Enrolment | None:
        document = await self._enrolments.find_one({"_id": _key(subject, course)})
        return None if document is None else _build(document)

    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Enrolment]:
        where: Document = {"subject": subject}
        if after is not None:
            end = instant_of(after, "enrolled_at")
            where |= {
                "enrolled_at": {"$lte": end},
                "$or": [
                    {"enrolled_at": {"$lt": end}},
                    {"course": {"$gt": text_of(after, "course")}},
                ],
            }
        return await fetch_page(
            self._enrolments,
            where,
            [("enrolled_at", -1), ("course", 1)],
            limit=limit,
            build=_build,
            position=lambda last: {
                "enrolled_at": last["enrolled_at"].isoformat(),
                "course": last["course"],
            },
        )
