"""Posting what partners offer to learners: for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from academy.access import Access
from academy.courses import now
from academy.errors import FieldError, Invalid, NotFound
from academy.learner_stores import LearnerStores
from academy.localised import written
from academy.opportunities import NewOpportunity, Opportunity, OpportunityKind, OpportunityPatch
from academy.patching import OWN_LANGUAGE, Expected, check, merge, rewrite
from academy.store_values import Page, Position

LAST_ZONE: Final = timedelta(hours=12)
"""Behind UTC: where a day ends last."""


def open_day(at: datetime) -> date:
    """The earliest day that is not over everywhere on earth."""
    return (at - LAST_ZONE).date()


def open_day_end(at: datetime) -> datetime:
    """When `open_day` moves on, and with it what is open."""
    tomorrow = open_day(at) + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, UTC) + LAST_ZONE


@dataclass(frozen=True, slots=True)
class Posting:
    access: Access
    stores: LearnerStores

    async def open(
        self,
        *,
        programme: str | None,
        kind: OpportunityKind | None,
        limit: int,
        after: Position | None = None,
    ) -> Page[Opportunity]:
        """What has not expired; the next to close first."""
        return await self.stores.opportunities.list(
            open_on=open_day(now()), programme=programme, kind=kind, limit=limit, after=after
        )

    async def get(self, opportunity_id: str) -> Opportunity:
        """NotFound once expired, except for administrators."""
        found = await self.stores.opportunities.get(opportunity_id)
        administrator = self.access.identity is not None and self.access.identity.is_admin
        if found.closes_on < open_day(now()) and not administrator:
            raise NotFound("There is no such opportunity.")
        return found

    async def add(self, new: NewOpportunity) -> Opportunity:
        self.access.admin()
        await self._known(new.programmes)
        opportunity = Opportunity(
            title=written(new.title, OWN_LANGUAGE),
            organisation=written(new.organisation, OWN_LANGUAGE),
            location=written(new.location, OWN_LANGUAGE) if new.location else None,
            description=written(new.description, OWN_LANGUAGE) if new.description else None,
            kind=new.kind,
            url=new.url,
            programmes=list(dict.fromkeys(new.programmes)),
            closes_on=new.closes_on,
        )
        await self.stores.opportunities.add(opportunity)
        return opportunity

    async def change(
        self, opportunity_id: str, patch: OpportunityPatch, expected: Expected
    ) -> Opportunity:
        self.access.admin()
        store = self.stores.opportunities

        async def fields(stored: Opportunity) -> dict[str, Any]:
            await self._known(patch.programmes or [])
            lists = (
                {"programmes": list(dict.fromkeys(patch.programmes or []))}
                if "programmes" in patch.model_fields_set
                else {}
            )
            return merge(
                stored,
                patch.model_copy(update=lists),
                texts=("title", "organisation", "location", "description"),
                required=("title", "organisation", "kind", "url", "closes_on"),
                language=OWN_LANGUAGE,
            )

        return await rewrite(
            lambda: store.get(opportunity_id),
            fields,
            lambda changes: store.change(opportunity_id, changes),
            expected,
        )

    async def delete(self, opportunity_id: str, expected: Expected) -> None:
        self.access.admin()
        store = self.stores.opportunities
        check(expected, (await store.get(opportunity_id)).revision)
        await store.delete(opportunity_id)

    async def _known(self, programmes: Sequence[str]) -> None:
        found = (
            {each.slug for each in await self.stores.programmes.get_many(programmes)}
            if programmes
            else set()
        )
        wrong = [
            FieldError(f"/programmes/{index}", f"there is no “{slug}”")
            for index, slug in enumerate(programmes)
            if slug not in found
        ]
        if wrong:
            raise Invalid("The opportunity names a programme that does not exist.", errors=wrong)
