"""Reading the catalogue: universities, programmes, instructors, courses and lectures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Response

from academy import growing
from academy.catalogue import CoursePage, Document, mark
from academy.catalogue_stores import CourseFilter
from academy.courses import CourseOrder, Level
from academy.delivery import Delivery
from academy.errors import NotFound
from academy.ids import Slug
from academy.localised import LanguageTag
from academy.media import Publication
from academy.playback import Playback
from academy.takedowns import TakenDown
from api import paging
from api.answers import answer
from api.context import Anyone, Context, Reader
from api.rendering import course_detail, course_page, lecture_detail
from api.representations import (
    CourseDetail,
    CourseOut,
    InstructorOut,
    LectureOut,
    Listing,
    ProgrammeOut,
    UniversityOut,
)
from api.routing import LIST, READ, problems, router

routes: Final = router("catalogue")
POSTER_SECONDS: Final = 300
"""For how long a picture is kept that may have been replaced."""


@routes.get("/universities", response_model=Listing[UniversityOut], responses=LIST)
async def list_universities(
    context: Reader, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """The partner universities, by slug."""
    keys, scope = context.services.backend.keys, paging.scope_of("universities")
    page = await context.stores.universities.list(
        limit=limit, after=paging.decode(keys, scope, cursor)
    )
    context.made_from({"universities"})
    listing = Listing[UniversityOut](
        items=[UniversityOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/universities/{slug}", response_model=UniversityOut, responses=READ)
async def get_university(context: Reader, slug: str) -> Response:
    university = await context.stores.universities.get(slug)
    context.made_from({mark("universities", slug)})
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
    context.made_from({"programmes"})
    listing = Listing[ProgrammeOut](
        items=[ProgrammeOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/programmes/{slug}", response_model=ProgrammeOut, responses=READ)
async def get_programme(context: Reader, slug: str) -> Response:
    programme = await context.stores.programmes.get(slug)
    context.made_from({mark("programmes", slug)})
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
    context.made_from({"instructors"})
    listing = Listing[InstructorOut](
        items=[InstructorOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/instructors/{slug}", response_model=InstructorOut, responses=READ)
async def get_instructor(context: Reader, slug: str) -> Response:
    instructor = await context.stores.instructors.get(slug)
    context.made_from({mark("instructors", slug)})
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
    page = await context.stores.catalogue.courses(
        where,
        order=sort,
        limit=limit,
        after=paging.decode(keys, scope, cursor),
        language=first,
    )
    context.made_from(page.made_from)
    return answer(context, listing(context, page, scope))


@routes.get("/courses/{slug}", response_model=CourseDetail, responses=READ)
async def get_course(context: Reader, slug: str) -> Response:
    """A course with its sections and lectures. Drafts appear to those who may write them."""
    return await course_answer(context, slug)


@routes.get(
    "/courses/{slug}/poster",
    response_class=Response,
    status_code=307,
    responses=problems(401, 404) | {307: {"description": "To the picture"}},
)
async def get_course_poster(context: Anyone, slug: str) -> Response:
    """The still of the course's first lecture that has one. The address stays, the picture may change."""
    view = await context.stores.catalogue.poster(slug)
    if view.name is None or view.course["published_at"] is None:
        raise NotFound
    context.made_from(view.made_from, until=time.time() + POSTER_SECONDS)
    services = context.services
    address = await Delivery(services.links, services.backend.storage).picture(
        view.course["poster"], view.name
    )
    caching = f"public, max-age={POSTER_SECONDS}"
    return Response(status_code=307, headers={"Location": address, "Cache-Control": caching})


@routes.get("/lectures/{lecture_id}", response_model=LectureOut, responses=READ)
async def get_lecture(context: Reader, lecture_id: str) -> Response:
    """A lecture with everything a player needs in `playback`."""
    return await lecture_answer(context, lecture_id)


async def course_answer(
    context: Context,
    slug: str,
    *,
    written: bool = False,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """NotFound for a draft of others. `written`: just now, by who asks, whatever they may do next."""
    identity = context.identity
    may_teach = identity is not None and identity.may_teach
    view = await context.stores.catalogue.course(slug, drafts=may_teach)
    course, lectures = view.course, view.lectures
    writes = written or (
        identity is not None
        and await context.access.may_write_what(course["owner"], course["instructors"])
    )
    if not writes:
        if course["published_at"] is None:
            raise NotFound
        if may_teach:
            lectures = [each for each in lectures if each["published"]]
    streaming = await _streaming(context, lectures)
    context.made_from(view.made_from, until=None if streaming is None else _soon())
    document = course_detail(
        view,
        lectures,
        streaming or (),
        context.languages,
        context.services.backend.settings.public_url,
    )
    return answer(context, document, revision=course["revision"], status=status, location=location)


async def lecture_answer(
    context: Context,
    lecture_id: str,
    *,
    written: bool = False,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """A lecture is public once both it and its course are published; else as for a course."""
    view = await context.stores.catalogue.lecture(lecture_id)
    lecture, course = view.lecture, view.course
    public = lecture["published"] and course["published_at"] is not None
    writes = written or await context.access.may_write_what(course["owner"], course["instructors"])
    if not public and not writes:
        takedowns = context.services.backend.stores.takedowns
        down = course["published_at"] is not None and await takedowns.happened_to(lecture_id)
        raise TakenDown if down else NotFound
    if lecture["media"] is not None:
        playback = context.viewing.of_publication(
            lecture["media"]["media_id"],
            None if view.publication is None else Publication.model_validate(view.publication),
            public=public,
        )
        until = context.services.links.change_at(public=public)
    elif lecture["uploads_begun"]:
        playback, until = await _in_progress(context, lecture_id), _soon()
    else:
        playback, until = Playback(), None
    context.made_from(view.made_from, until=until)
    return answer(
        context,
        lecture_detail(view, playback, context.languages),
        revision=lecture["revision"],
        status=status,
        location=location,
    )


async def _in_progress(context: Context, lecture_id: str) -> Playback:
    """While a recording is on its way: what jobs and receipts say, which changes by the second."""
    lecture = await context.stores.courses.lecture(lecture_id)
    return await context.viewing.playback(lecture, await context.stores.courses.get(lecture.course))


async def _streaming(context: Context, lectures: Sequence[Document]) -> frozenset[str] | None:
    """Those that can be watched while they are still transcoded; None when none is on its way."""
    waiting = [each["id"] for each in lectures if each["media"] is None and each["uploads_begun"]]
    if not waiting:
        return None

    async def plays(lecture_id: str) -> bool:
        try:
            return await context.viewing.playable(await context.stores.courses.lecture(lecture_id))
        except NotFound:
            return False  # deleted meanwhile

    playing = await asyncio.gather(*map(plays, waiting))
    return frozenset(each for each, yes in zip(waiting, playing, strict=True) if yes)


def _soon() -> float:
    """What progress may change is kept for as long as the playlists' own snapshots, and no longer."""
    return time.time() + growing.LIFETIME


def listing(context: Context, page: CoursePage, scope: str) -> dict[str, Any]:
    """A page of courses; `scope` as for its cursor."""
    backend = context.services.backend
    return {
        "items": course_page(page, context.languages, backend.settings.public_url),
        "next_cursor": paging.encode(backend.keys, scope, page.next),
    }
