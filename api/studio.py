"""Writing courses and lectures, and the list of one's own: for instructors and administrators."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from academy.courses import Course, Lecture
from academy.drafts import CoursePatch, LecturePatch, NewCourse, NewLecture
from api import paging
from api.answers import answer
from api.catalogue import course_answer, lecture_answer, listing
from api.context import Context, IfMatch, Writer
from api.idempotency import IdempotencyKey
from api.representations import CourseDetail, CourseOut, LectureOut, Listing
from api.routing import CHANGE, CREATE, LIST, problems, router

routes: Final = router("studio")


@routes.get("/me/teaching", response_model=Listing[CourseOut], responses=LIST | problems(403))
async def list_teaching(
    context: Writer, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """The courses you own or teach, drafts included, newest first."""
    access = context.access
    subject = access.teacher().subject
    keys, scope = context.services.backend.keys, paging.scope_of("teaching", subject=subject)
    page = await context.stores.catalogue.taught(
        subject=subject,
        profiles=await access.profiles(),
        limit=limit,
        after=paging.decode(keys, scope, cursor),
    )
    return answer(context, listing(context, page, scope))


@routes.post("/courses", response_model=CourseDetail, status_code=201, responses=CREATE)
async def create_course(context: Writer, once: IdempotencyKey, new: NewCourse) -> Response:
    """A draft that is yours. Texts are maps by language, or plain strings in the course's own."""

    async def work() -> Response:
        course = await context.editing.add_course(new)
        return await _course(context, course, status=201, location=f"/v1/courses/{course.slug}")

    return await once(work)


@routes.patch("/courses/{slug}", response_model=CourseDetail, responses=CHANGE)
async def change_course(
    context: Writer, slug: str, patch: CoursePatch, expected: IfMatch
) -> Response:
    """A merge patch (RFC 7396): what is left out stays, null empties, maps of texts merge.

    `sections` is replaced as a whole: repeat a section's `id` to keep it.
    """
    return await _course(context, await context.editing.change_course(slug, patch, expected))


@routes.delete("/courses/{slug}", status_code=204, responses=CHANGE)
async def delete_course(context: Writer, slug: str, expected: IfMatch) -> Response:
    """With its lectures. 409 while learners are enrolled."""
    await context.editing.delete_course(slug, expected)
    return Response(status_code=204)


@routes.post("/courses/{slug}/publish", response_model=CourseDetail, responses=CHANGE)
async def publish_course(context: Writer, slug: str, expected: IfMatch) -> Response:
    return await _course(
        context, await context.editing.publish_course(slug, published=True, expected=expected)
    )


@routes.post("/courses/{slug}/unpublish", response_model=CourseDetail, responses=CHANGE)
async def unpublish_course(context: Writer, slug: str, expected: IfMatch) -> Response:
    """Hides the course and its lectures; nothing is deleted."""
    return await _course(
        context, await context.editing.publish_course(slug, published=False, expected=expected)
    )


@routes.post(
    "/courses/{slug}/lectures", response_model=LectureOut, status_code=201, responses=CREATE
)
async def create_lecture(
    context: Writer, once: IdempotencyKey, slug: str, new: NewLecture
) -> Response:
    """A draft at the end of the course."""

    async def work() -> Response:
        lecture = await context.editing.add_lecture(slug, new)
        return await _lecture(context, lecture, status=201, location=f"/v1/lectures/{lecture.id}")

    return await once(work)


@routes.patch("/lectures/{lecture_id}", response_model=LectureOut, responses=CHANGE)
async def change_lecture(
    context: Writer, lecture_id: str, patch: LecturePatch, expected: IfMatch
) -> Response:
    """A merge patch. `position` counts from 1 within the course; the others make room."""
    return await _lecture(
        context, await context.editing.change_lecture(lecture_id, patch, expected)
    )


@routes.delete("/lectures/{lecture_id}", status_code=204, responses=CHANGE)
async def delete_lecture(context: Writer, lecture_id: str, expected: IfMatch) -> Response:
    """Also ends its uploads and its transcoding."""
    await context.editing.delete_lecture(lecture_id, expected)
    return Response(status_code=204)


@routes.post("/lectures/{lecture_id}/publish", response_model=LectureOut, responses=CHANGE)
async def publish_lecture(context: Writer, lecture_id: str, expected: IfMatch) -> Response:
    """Possible before the recording is ready: viewers then see it as soon as it streams."""
    return await _lecture(
        context,
        await context.editing.publish_lecture(lecture_id, published=True, expected=expected),
    )


@routes.post("/lectures/{lecture_id}/unpublish", response_model=LectureOut, responses=CHANGE)
async def unpublish_lecture(context: Writer, lecture_id: str, expected: IfMatch) -> Response:
    return await _lecture(
        context,
        await context.editing.publish_lecture(lecture_id, published=False, expected=expected),
    )


async def _course(
    context: Context, course: Course, *, status: int = 200, location: str | None = None
) -> Response:
    return await course_answer(context, course.slug, written=True, status=status, location=location)


async def _lecture(
    context: Context, lecture: Lecture, *, status: int = 200, location: str | None = None
) -> Response:
    return await lecture_answer(context, lecture.id, written=True, status=status, location=location)
