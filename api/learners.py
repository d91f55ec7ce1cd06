"""Learning: enrolment, progress, one's courses, one's data."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query, Response

from academy.completion_rules import CompletionRules
from academy.courses import Lecture, now
from academy.errors import NotFound
from academy.ids import Slug
from academy.learning import rules_of
from api import paging
from api.answers import answer
from api.context import Context, IfMatch, Reader, SignedIn, Writer
from api.etags import revisions
from api.learner_representations import (
    AttendanceOut,
    CompletionRulesOut,
    EnrolmentOut,
    PersonalData,
    ProgressOut,
)
from api.representations import Listing
from api.routing import CHANGE, READ, problems, router

routes: Final = router("learners")
_MINE: Final = problems(400, 401, 404, 422, 503)


@routes.put(
    "/courses/{slug}/enrolment",
    response_model=EnrolmentOut,
    responses={201: {"model": EnrolmentOut}, **problems(401, 404, 409, 422)},
)
async def enrol(context: SignedIn, slug: str) -> Response:
    """201 the first time, 200 afterwards."""
    enrolment, new = await context.learning.enrol(slug)
    return answer(context, EnrolmentOut.of(enrolment), status=201 if new else 200)


@routes.get(
    "/courses/{slug}/enrolment", response_model=EnrolmentOut, responses=problems(401, 404, 422)
)
async def get_enrolment(context: SignedIn, slug: str) -> Response:
    """404 when you are not enrolled."""
    return answer(context, EnrolmentOut.of(await context.learning.enrolment(slug)))


@routes.delete("/courses/{slug}/enrolment", status_code=204, responses=problems(401, 422))
async def leave_course(context: SignedIn, slug: str) -> Response:
    """Progress and certificates stay. 204 also when you were not enrolled."""
    await context.learning.leave(slug)
    return Response(status_code=204)


@routes.get("/me/progress", response_model=Listing[ProgressOut], responses=_MINE)
async def list_progress(
    context: Writer,
    course: Annotated[Slug | None, Query(description="Slug: all of this course at once")] = None,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """Last watched first. What you just reported to this server is in it."""
    subject = context.access.person().subject
    keys, scope = context.services.backend.keys, paging.scope_of("progress", subject=subject)
    page = await context.learning.progress(
        limit=limit, after=paging.decode(keys, scope, cursor), course=course
    )
    lectures = await _lectures_of(context, {each.course for each in page.items})
    listing = Listing[ProgressOut](
        items=[
            ProgressOut.of(each, *lectures[each.lecture], context.languages)
            for each in page.items
            if each.lecture in lectures
        ],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/me/courses", response_model=Listing[AttendanceOut], responses=_MINE)
async def list_my_courses(
    context: Writer, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """The courses you are enrolled in, newest enrolment first, with where to go on."""
    subject = context.access.person().subject
    keys, scope = context.services.backend.keys, paging.scope_of("attending", subject=subject)
    page = await context.learning.attending(limit=limit, after=paging.decode(keys, scope, cursor))
    listing = Listing[AttendanceOut](
        items=[AttendanceOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/courses/{slug}/completion-rules", response_model=CompletionRulesOut, responses=READ)
async def get_completion_rules(context: Reader, slug: str) -> Response:
    """What a certificate of this course takes."""
    course = await context.access.course_to_read(slug)
    return answer(context, CompletionRulesOut.of(course), revision=course.revision)


@routes.put("/courses/{slug}/completion-rules", response_model=CompletionRulesOut, responses=CHANGE)
async def set_completion_rules(
    context: Writer, slug: str, rules: CompletionRules, expected: IfMatch
) -> Response:
    """For those who own or teach the course. Certificates already issued stay."""
    course = await context.learning.set_rules(slug, rules, expected)
    return answer(context, CompletionRulesOut.of(course), revision=course.revision)


@routes.get("/me", response_model=PersonalData, responses=problems(401, 503))
async def export_my_data(context: SignedIn) -> Response:
    """Everything kept under your account. 304 where nothing changed since the export you have."""
    subject = context.access.person().subject
    held = context.services
    await held.learners.heartbeats.settle(subject)
    data = await held.backend.stores.personal_data.export(subject)
    for instant in _instants(context):
        at = datetime.fromtimestamp(instant / 1000, UTC)
        document = PersonalData(subject=subject, exported_at=at, **data)
        export = answer(context, document, revision=instant)
        if export.status_code == HTTPStatus.NOT_MODIFIED:
            break
    return export


@routes.delete("/me", status_code=204, responses=problems(401, 422, 503))
async def erase_my_data(
    context: SignedIn,
    keep_certificates: Annotated[
        bool,
        Query(
            description="Keep issued certificates verifiable: your printed name stays on them, "
            "their link to this account goes, so you can no longer list them"
        ),
    ] = False,
) -> Response:
    """Erases enrolments, progress and, unless kept, certificates. For good. Repeatable."""
    subject = context.access.person().subject
    held = context.services
    held.learners.heartbeats.forget(subject)
    await held.learners.heartbeats.settle(subject)  # a write that already runs
    await held.backend.stores.personal_data.erase(subject, keep_certificates=keep_certificates)
    return Response(status_code=204)


def _instants(context: Context) -> list[int]:
    """When an export may have been made, in Unix milliseconds: now, and before that when the reader's own
    was. Its tag says so; it is still current if today's data with that instant are those very bytes.
    """
    present = round(now().timestamp() * 1000)
    named = revisions(context.request.headers.get("if-none-match")) or ()
    return sorted({present, max((each for each in named if each < present), default=present)})


async def _lectures_of(
    context: Context, courses: set[str]
) -> dict[str, tuple[Lecture, CompletionRules]]:
    """The lectures of these courses that the reader may see, by id, with their courses' rules."""

    async def of(slug: str) -> list[tuple[Lecture, CompletionRules]]:
        try:
            course = await context.access.course_to_read(slug)
        except NotFound:  # hidden since
            return []
        drafts = await context.access.may_write(course)
        lectures = await context.stores.courses.lectures(slug, drafts=drafts)
        return [(each, rules_of(course)) for each in lectures]

    found = await asyncio.gather(*(of(slug) for slug in courses))
    return {lecture.id: (lecture, rules) for listed in found for lecture, rules in listed}
