"""Opportunities: partners' internships and jobs."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Response

from academy.catalogue import mark
from academy.courses import now
from academy.ids import Slug
from academy.opportunities import NewOpportunity, OpportunityKind, OpportunityPatch
from academy.posting import open_day_end
from api import paging
from api.answers import answer
from api.context import IfMatch, Reader, Writer
from api.idempotency import IdempotencyKey
from api.learner_representations import OpportunityOut
from api.representations import Listing
from api.routing import CHANGE, CREATE, LIST, READ, router

routes: Final = router("opportunities")


@routes.get("/opportunities", response_model=Listing[OpportunityOut], responses=LIST)
async def list_opportunities(
    context: Reader,
    programme: Annotated[Slug | None, Query(description="Slug")] = None,
    kind: OpportunityKind | None = None,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """What is still open, the next to close first."""
    keys = context.services.backend.keys
    scope = paging.scope_of("opportunities", programme=programme, kind=kind)
    page = await context.posting.open(
        programme=programme, kind=kind, limit=limit, after=paging.decode(keys, scope, cursor)
    )
    context.made_from({"opportunities"}, until=open_day_end(now()).timestamp())
    listing = Listing[OpportunityOut](
        items=[OpportunityOut.of(each, context.languages) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/opportunities/{opportunity_id}", response_model=OpportunityOut, responses=READ)
async def get_opportunity(context: Reader, opportunity_id: str) -> Response:
    """404 once it has closed."""
    found = await context.posting.get(opportunity_id)
    context.made_from(
        {mark("opportunities", opportunity_id)}, until=open_day_end(now()).timestamp()
    )
    return answer(context, OpportunityOut.of(found, context.languages), revision=found.revision)


@routes.post("/opportunities", response_model=OpportunityOut, status_code=201, responses=CREATE)
async def create_opportunity(
    context: Writer, once: IdempotencyKey, new: NewOpportunity
) -> Response:
    """For administrators. It disappears after `closes_on` by itself."""

    async def work() -> Response:
        made = await context.posting.add(new)
        return answer(
            context,
            OpportunityOut.of(made, context.languages),
            revision=made.revision,
            status=201,
            location=f"/v1/opportunities/{made.id}",
        )

    return await once(work)


@routes.patch("/opportunities/{opportunity_id}", response_model=OpportunityOut, responses=CHANGE)
async def change_opportunity(
    context: Writer, opportunity_id: str, patch: OpportunityPatch, expected: IfMatch
) -> Response:
    made = await context.posting.change(opportunity_id, patch, expected)
    return answer(context, OpportunityOut.of(made, context.languages), revision=made.revision)


@routes.delete("/opportunities/{opportunity_id}", status_code=204, responses=CHANGE)
async def delete_opportunity(context: Writer, opportunity_id: str, expected: IfMatch) -> Response:
    await context.posting.delete(opportunity_id, expected)
    return Response(status_code=204)
