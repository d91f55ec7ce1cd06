"""Reading the catalogue: universities, programmes, instructors, courses and lectures."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import Query, Response

from academy.courses import Course, CourseOrder, Lecture, Level
from academy.ids import Slug
from academy.localised import LanguageTag
from academy.stores import CourseFilter
from api import paging
from api.answers import answer
from api.context import Context, Reader
from api.representations import (
    CourseDetail,
    CourseOut,
    InstructorOut,
    LectureOut,
    Listing,
    ProgrammeOut,
    References,
    UniversityOut,
    course_detail,
)
from api.routing import LIST, READ, router

routes: Final = router("catalogue")


@routes.get("/universities", response_model=Listing[UniversityOut], responses=LIST)
async def list_universities(
    context: Reader, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """The partner universities, by slug."""
    keys, scope = context.services.backend.keys, paging.scope_of("universities")
    page = await context.stores.universities.list(
        limit=limit, after=paging.decode(keys, scope, cursor)
    )
    listing = Listing[UniversityOut](
        items=[UniversityOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/universities/{slug}", response_model=UniversityOut, responses=READ)
async def get_university(context: Reader, slug: str) -> Response:
    university = await context.stores.universities.get(slug)
    document = UniversityOut.of(university, context.languages)
    return answer(context, document, revision=university.revision)


@routes.get("/programmes", response_model=Listing[ProgrammeOut], responses=LIST)
async def list_programmes(
    context: Reader, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """The majors of the cooperation programme, by slug."""
    keys, scope = context.services.backend.keys, paging.scope_of("programmes")
    page = await context.stores.programmes.list(
        limit=limit, after=paging.decode(keys, scope, cursor)
    )
    listing = Listing[ProgrammeOut](
        items=[ProgrammeOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/programmes/{slug}", response_model=ProgrammeOut, responses=READ)
async def get_programme(context: Reader, slug: str) -> Response:
    programme = await context.stores.programmes.get(slug)
    document = ProgrammeOut.of(programme, context.languages)
    return answer(context, document, revision=programme.revision)


@routes.get("/instructors", response_model=Listing[InstructorOut], responses=LIST)
async def list_instructors(
    context: Reader, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """Who teaches, by slug."""
    keys, scope = context.services.backend.keys, paging.scope_of("instructors")
    page = await context.stores.instructors.list(
        limit=limit, after=paging.decode(keys, scope, cursor)
    )
    listing = Listing[InstructorOut](
        items=[InstructorOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/instructors/{slug}", response_model=InstructorOut, responses=READ)
async def get_instructor(context: Reader, slug: str) -> Response:
    instructor = await context.stores.instructors.get(slug)
    document = InstructorOut.of(instructor, context.languages)
    return answer(context, document, revision=instructor.revision)


@routes.get("/courses", response_model=Listing[CourseOut], responses=LIST)
async def list_courses(
    context: Reader,
    university: Annotated[Slug | None, Query(description="Slug")] = None,
    programme: Annotated[Slug | None, Query(description="Slug")] = None,
    instructor: Annotated[Slug | None, Query(description="Slug")] = None,
    level: Level | None = None,
    language: Annotated[LanguageTag | None, Query(description="The course's own")] = None,
    sort: CourseOrder = CourseOrder.NEWEST,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """Published courses. `sort=title` goes by the titles in the reader's language."""
    where = CourseFilter(university, programme, instructor, level, language)
    first = context.languages.first if sort is CourseOrder.TITLE else "zh"
    keys, scope = (
        context.services.backend.keys,
        paging.scope_of("courses", w=where, s=sort, l=first),
    )
    page = await context.stores.courses.list_published(
        where,
        order=sort,
        limit=limit,
        after=paging.decode(keys, scope, cursor),
        language=first,
    )
    references = await References.of(context.stores, page.items)
    listing = Listing[CourseOut](
        items=[references.course(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/courses/{slug}", response_model=CourseDetail, responses=READ)
async def get_course(context: Reader, slug: str) -> Response:
    """A course with its sections and lectures. Drafts appear to those who may write them."""
    course = await context.access.course_to_read(slug)
    return answer(context, await course_document(context, course), revision=course.revision)


@routes.get("/lectures/{lecture_id}", response_model=LectureOut, responses=READ)
async def get_lecture(context: Reader, lecture_id: str) -> Response:
    """A lecture with everything a player needs in `playback`."""
    lecture, course = await context.access.lecture_to_read(lecture_id)
    document = await lecture_document(context, lecture, course)
    return answer(context, document, revision=lecture.revision)


async def course_document(context: Context, course: Course) -> CourseDetail:
    drafts = await context.access.may_write(course)
    lectures = await context.stores.courses.lectures(course.slug, drafts=drafts)
    references = await References.of(context.stores, [course])
    viewing = context.viewing
    playable = await asyncio.gather(*(viewing.playable(each) for each in lectures))
    by_id = {each.id: plays for each, plays in zip(lectures, playable, strict=True)}
    return course_detail(
        references.course(course, context.languages),
        course,
        lectures,
        lambda lecture: by_id[lecture.id],
        context.languages,
    )


async def lecture_document(context: Context, lecture: Lecture, course: Course) -> LectureOut:
    playback = await context.viewing.playback(lecture, course)
    references = await References.of(context.stores, [course], [lecture])
    return references.lecture(lecture, course, playback, context.languages)
