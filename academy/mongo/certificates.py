"""Certificates: one per learner and course, found by code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo.errors import DuplicateKeyError

from academy.certificates import Certificate
from academy.errors import NotFound
from academy.events import EventKind
from academy.mongo.client import (
    Database,
    Document,
    Session,
    from_document,
    in_transaction,
    to_document,
    unavailable_when_down,
)
from academy.mongo.outbox import MongoEventOutbox
from academy.mongo.paging import after_key, fetch_page, instant_of, text_of
from academy.store_values import Page, Position


def _build(document: Document) -> Certificate:
    return from_document(Certificate, document, key="code")


@unavailable_when_down
class MongoCertificateStore:
    """Implements `academy.learner_stores.CertificateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._certificates = database.certificates
        self._outbox = MongoEventOutbox(database)

    async def issue(self, certificate: Certificate) -> tuple[Certificate, bool]:
        if certificate.subject is None:
            raise ValueError("a certificate is issued to somebody")
        subject, course = certificate.subject, certificate.course
        document = to_document(certificate, key="code")

        async def work(session: Session) -> None:
            await self._certificates.insert_one(document, session=session)
            data = {"code": certificate.code, "course": course, "subject": subject}
            await self._outbox.add(EventKind.CERTIFICATE_ISSUED, data, session)

        try:
            await in_transaction(self._database, work)
        except DuplicateKeyError:
            held = await self.find(subject, course)
            if held is None:
                raise
            return held, False
        return certificate, True

    async def find(self, subject: str, course: str) -> Certificate | None:
        document = await self._certificates.find_one({"subject": subject, "course": course})
        return None if document is None else _build(document)

    async def get(self, code: str) -> Certificate:
        document = await self._certificates.find_one({"_id": code})
        if document is None:
            raise NotFound("There is no certificate with this code.")
        return _build(document)

    async def of(self, subject: str, courses: Sequence[str]) -> Mapping[str, Certificate]:
        cursor = self._certificates.find({"subject": subject, "course": {"$in": [*courses]}})
        return {document["course"]: _build(document) async for document in cursor}

    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Certificate]:
        where: Document = {"subject": subject}
        if after is not None:
            where |= after_key(
                "issued_at", -1, instant_of(after, "issued_at"), text_of(after, "code")
            )
        return await fetch_page(
            self._certificates,
            where,
            [("issued_at", -1), ("_id", 1)],
            limit=limit,
            build=_build,
            position=lambda last: {"issued_at": last["issued_at"].isoformat(), "code": last["_id"]},
        )

    async def revoke(self, code: str, reason: str) -> Certificate:
        await self._certificates.update_one(
            {"_id": code, "revoked_at": None},
            [{"$set": {"revoked_at": "$$NOW", "reason": {"$literal": reason}}}],
        )
        return await self.get(code)

    async def revoked(self) -> Sequence[Certificate]:
        cursor = self._certificates.find(
            {"revoked_at": {"$type": "date"}}, sort=[("revoked_at", 1)]
        )
        return [_build(document) async for document in cursor]
