"""The stores of what learners do, as Protocols: enrolments, progress, certificates, opportunities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from academy.certificates import Certificate
from academy.enrolment import Enrolment
from academy.opportunities import Opportunity, OpportunityKind
from academy.progress import Heartbeat, Progress
from academy.statistics import Attention, Funnel, Need
from academy.store_values import Changes, Page, Position
from academy.stores import Stores


class EnrolmentStore(Protocol):
    async def enrol(self, enrolment: Enrolment) -> tuple[Enrolment, bool]:
        """The enrolment there is now, and whether it is new. NotFound when the course is gone:
        it cannot be deleted at the same moment.
        """

    async def leave(self, subject: str, course: str) -> None:
        """Idempotent."""

    async def get(self, subject: str, course: str) -> Enrolment | None: ...
    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Enrolment]:
        """Newest first."""


class ProgressStore(Protocol):
    async def record(self, beats: Sequence[Heartbeat]) -> Sequence[Heartbeat]:
        """Joins each with what is kept, all in one write, acknowledged by one server (`w: 1`).

        At most one heartbeat per learner and lecture. Returns those that began a lecture.
        """

    async def viewed(self, views: Mapping[tuple[str, str], int]) -> None:
        """Adds to the views of lectures and their courses: counts by (course, lecture)."""

    async def of_course(self, subject: str, course: str) -> Mapping[str, Progress]:
        """By lecture id."""

    async def of_courses(
        self, subject: str, courses: Sequence[str]
    ) -> Mapping[str, Mapping[str, Progress]]:
        """By course, then lecture id; courses without any are left out."""

    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Progress]:
        """Last watched first."""


class CertificateStore(Protocol):
    async def issue(self, certificate: Certificate) -> tuple[Certificate, bool]:
        """The learner's certificate of this course, and whether it is this new one. One transaction
        with its event.
        """

    async def find(self, subject: str, course: str) -> Certificate | None: ...
    async def get(self, code: str) -> Certificate: ...
    async def of(self, subject: str, courses: Sequence[str]) -> Mapping[str, Certificate]:
        """By course."""

    async def list(
        self, subject: str, *, limit: int, after: Position | None = None
    ) -> Page[Certificate]:
        """Newest first."""

    async def revoke(self, code: str, reason: str) -> Certificate:
        """Once: a revoked certificate keeps its first date and reason."""

    async def revoked(self) -> Sequence[Certificate]: ...


class OpportunityStore(Protocol):
    async def get(self, opportunity_id: str) -> Opportunity: ...
    async def list(
        self,
        *,
        open_on: date,
        programme: str | None,
        kind: OpportunityKind | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Opportunity]:
        """Those that close on `open_on` or later; the next to close first."""

    async def add(self, opportunity: Opportunity) -> None: ...
    async def change(self, opportunity_id: str, changes: Changes) -> Opportunity: ...
    async def delete(self, opportunity_id: str) -> None: ...


class StatisticsStore(Protocol):
    """Counts over everybody who watched; estimates from a sample where there are many thousands."""

    async def funnel(self, course: str, needs: Sequence[Need], *, since: datetime) -> Funnel: ...
    async def attention(self, needs: Sequence[Need], buckets: int) -> Sequence[Attention]:
        """Of each lecture, in `buckets` equal parts."""


class PersonalDataStore(Protocol):
    async def export(self, subject: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Everything kept under this subject, as plain data by kind."""

    async def erase(self, subject: str, *, keep_certificates: bool) -> None:
        """Deletes it. Kept certificates lose their link to the account; others are deleted.

        Heartbeats that wait in some process's memory are dropped when they are written.
        """


class LearnerStores(Stores, Protocol):
    """All of them, beside the catalogue's."""

    @property
    def enrolments(self) -> EnrolmentStore: ...
    @property
    def progress(self) -> ProgressStore: ...
    @property
    def certificates(self) -> CertificateStore: ...
    @property
    def opportunities(self) -> OpportunityStore: ...
    @property
    def statistics(self) -> StatisticsStore: ...
    @property
    def personal_data(self) -> PersonalDataStore: ...
