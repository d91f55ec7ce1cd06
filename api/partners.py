"""Writing universities, programmes and instructors: for administrators."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from academy.drafts import (
    InstructorPatch,
    NewInstructor,
    NewProgramme,
    NewUniversity,
    ProgrammePatch,
    UniversityPatch,
)
from api.answers import answer
from api.context import IfMatch, Writer
from api.idempotency import IdempotencyKey
from api.representations import InstructorOut, ProgrammeOut, UniversityOut
from api.routing import CHANGE, CREATE, router

routes: Final = router("partners")


@routes.post("/universities", response_model=UniversityOut, status_code=201, responses=CREATE)
async def create_university(context: Writer, once: IdempotencyKey, new: NewUniversity) -> Response:
    """A plain string means Chinese, here and for programmes and instructors."""

    async def work() -> Response:
        made = await context.partners.add_university(new)
        document = UniversityOut.of(made, context.languages)
        return answer(
            context,
            document,
            revision=made.revision,
            status=201,
            location=f"/v1/universities/{made.slug}",
        )

    return await once(work)


@routes.patch("/universities/{slug}", response_model=UniversityOut, responses=CHANGE)
async def change_university(
    context: Writer, slug: str, patch: UniversityPatch, expected: IfMatch
) -> Response:
    made = await context.partners.change_university(slug, patch, expected)
    return answer(context, UniversityOut.of(made, context.languages), revision=made.revision)


@routes.delete("/universities/{slug}", status_code=204, responses=CHANGE)
async def delete_university(context: Writer, slug: str, expected: IfMatch) -> Response:
    """409 while courses name it."""
    await context.partners.delete_university(slug, expected)
    return Response(status_code=204)


@routes.post("/programmes", response_model=ProgrammeOut, status_code=201, responses=CREATE)
async def create_programme(context: Writer, once: IdempotencyKey, new: NewProgramme) -> Response:
    async def work() -> Response:
        made = await context.partners.add_programme(new)
        document = ProgrammeOut.of(made, context.languages)
        return answer(
            context,
            document,
            revision=made.revision,
            status=201,
            location=f"/v1/programmes/{made.slug}",
        )

    return await once(work)


@routes.patch("/programmes/{slug}", response_model=ProgrammeOut, responses=CHANGE)
async def change_programme(
    context: Writer, slug: str, patch: ProgrammePatch, expected: IfMatch
) -> Response:
    made = await context.partners.change_programme(slug, patch, expected)
    return answer(context, ProgrammeOut.of(made, context.languages), revision=made.revision)


@routes.delete("/programmes/{slug}", status_code=204, responses=CHANGE)
async def delete_programme(context: Writer, slug: str, expected: IfMatch) -> Response:
    """409 while courses name it."""
    await context.partners.delete_programme(slug, expected)
    return Response(status_code=204)


@routes.post("/instructors", response_model=InstructorOut, status_code=201, responses=CREATE)
async def create_instructor(context: Writer, once: IdempotencyKey, new: NewInstructor) -> Response:
    """With `subject`, the account of that id may edit the courses this person teaches."""

    async def work() -> Response:
        made = await context.partners.add_instructor(new)
        document = InstructorOut.of(made, context.languages)
        return answer(
            context,
            document,
            revision=made.revision,
            status=201,
            location=f"/v1/instructors/{made.slug}",
        )

    return await once(work)


@routes.patch("/instructors/{slug}", response_model=InstructorOut, responses=CHANGE)
async def change_instructor(
    context: Writer, slug: str, patch: InstructorPatch, expected: IfMatch
) -> Response:
    made = await context.partners.change_instructor(slug, patch, expected)
    return answer(context, InstructorOut.of(made, context.languages), revision=made.revision)


@routes.delete("/instructors/{slug}", status_code=204, responses=CHANGE)
async def delete_instructor(context: Writer, slug: str, expected: IfMatch) -> Response:
    """409 while courses name them."""
    await context.partners.delete_instructor(slug, expected)
    return Response(status_code=204)
