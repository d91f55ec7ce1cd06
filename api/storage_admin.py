"""What is stored: how much by course and account, and taking a lecture down for good."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Response
from pydantic import BaseModel, Field

from academy.accounting import CourseUsage, OwnerUsage, Usage
from academy.storage_stores import AccountingStore
from academy.takedowns import NewTakedown, Takedown
from api import paging
from api.answers import answer
from api.context import Context, IfMatch, SignedIn
from api.representations import Listing
from api.routing import CHANGE, problems, router

routes: Final = router("storage")
LIST: Final = problems(400, 401, 403, 422)


class UsageOut(BaseModel):
    lectures: int
    recordings: int
    sources: int = Field(description="Bytes of recordings as they were uploaded")
    media: int = Field(description="Bytes of what was published of them")
    pending: int = Field(description="Bytes announced by uploads that are not completed yet")
    total: int

    @classmethod
    def _sums(cls, usage: Usage) -> dict[str, int]:
        return {name: getattr(usage, name) for name in UsageOut.model_fields}

    @classmethod
    def of(cls, usage: Usage) -> UsageOut:
        return cls(**cls._sums(usage))


class CourseUsageOut(UsageOut):
    course: str
    owner: str = Field(description="The account that owns the course")
    quota: int | None = Field(description="Bytes this course may take; null for any")

    @classmethod
    def of_course(cls, usage: CourseUsage, quota: int | None) -> CourseUsageOut:
        return cls(**cls._sums(usage), course=usage.course, owner=usage.owner, quota=quota)


class OwnerUsageOut(UsageOut):
    owner: str = Field(description="The account; all courses it owns count")
    courses: int
    quota: int | None = Field(description="Bytes these courses may take together; null for any")

    @classmethod
    def of_owner(cls, usage: OwnerUsage, quota: int | None) -> OwnerUsageOut:
        return cls(**cls._sums(usage), owner=usage.owner, courses=usage.courses, quota=quota)


class TakedownOut(BaseModel):
    id: str
    lecture_id: str
    course: str
    title: dict[str, str]
    reason: str
    taken_down_by: str
    taken_down_at: datetime
    purged_at: datetime | None = Field(description="When the CDN was told, where there is one")
    finished_at: datetime | None = Field(
        description="Set once everything is deleted and no worker can write any more"
    )
    trouble: str | None = Field(description="What stands in the way; it is tried again each minute")

    @classmethod
    def of(cls, takedown: Takedown) -> TakedownOut:
        return cls(**takedown.model_dump(include=set(cls.model_fields)))


@routes.get("/storage", response_model=UsageOut, responses=problems(401, 403))
async def get_storage_usage(context: SignedIn) -> Response:
    """Everything together. What deleted lectures left counts until garbage collection."""
    context.access.admin()
    return answer(context, UsageOut.of(await _accounting(context).total()))


@routes.get("/storage/courses", response_model=Listing[CourseUsageOut], responses=LIST)
async def list_course_usage(
    context: SignedIn, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """By course, drafts included, in the order of slugs."""
    context.access.admin()
    keys, scope = context.services.backend.keys, paging.scope_of("course-usage")
    page = await _accounting(context).courses(limit=limit, after=paging.decode(keys, scope, cursor))
    quota = context.services.backend.settings.quota_course_bytes
    items = [CourseUsageOut.of_course(usage, quota) for usage in page.items]
    return answer(
        context,
        Listing[CourseUsageOut](items=items, next_cursor=paging.encode(keys, scope, page.next)),
    )


@routes.get("/storage/instructors", response_model=Listing[OwnerUsageOut], responses=LIST)
async def list_instructor_usage(
    context: SignedIn, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """By the account that owns the courses."""
    context.access.admin()
    keys, scope = context.services.backend.keys, paging.scope_of("owner-usage")
    page = await _accounting(context).owners(limit=limit, after=paging.decode(keys, scope, cursor))
    quota = context.services.backend.settings.quota_instructor_bytes
    items = [OwnerUsageOut.of_owner(usage, quota) for usage in page.items]
    return answer(
        context,
        Listing[OwnerUsageOut](items=items, next_cursor=paging.encode(keys, scope, page.next)),
    )


@routes.get(
    "/courses/{slug}/storage", response_model=CourseUsageOut, responses=problems(401, 403, 404)
)
async def get_course_usage(context: SignedIn, slug: str) -> Response:
    """What one course takes, for those who own or teach it."""
    course = await context.access.course_to_write(slug)
    usage = await _accounting(context).course(course.slug)
    quota = context.services.backend.settings.quota_course_bytes
    return answer(context, CourseUsageOut.of_course(usage, quota))


@routes.post("/lectures/{lecture_id}/takedown", response_model=TakedownOut, responses=CHANGE)
async def take_lecture_down(
    context: SignedIn, lecture_id: str, new: NewTakedown, expected: IfMatch
) -> Response:
    """Deletes its recordings, renditions, captions and stills at once and for good, and says who
    did so and why. The lecture stays as an empty draft, for which another recording may be uploaded.
    """
    takedown = await context.taking_down.take_down(lecture_id, new, expected)
    return answer(context, TakedownOut.of(takedown))


@routes.get("/takedowns", response_model=Listing[TakedownOut], responses=LIST)
async def list_takedowns(
    context: SignedIn, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """Newest first."""
    keys, scope = context.services.backend.keys, paging.scope_of("takedowns")
    page = await context.taking_down.list(limit=limit, after=paging.decode(keys, scope, cursor))
    items = [TakedownOut.of(takedown) for takedown in page.items]
    return answer(
        context,
        Listing[TakedownOut](items=items, next_cursor=paging.encode(keys, scope, page.next)),
    )


def _accounting(context: Context) -> AccountingStore:
    return context.services.backend.stores.accounting
