"""Puts the demo catalogue into the stores. Adds what is missing and changes nothing that is there, but that
an offer that has expired is open again: a demo a year old shows offers, too.
"""

from __future__ import annotations

from collections.abc import Awaitable

from academy.courses import now
from academy.demo.catalogue import Catalogue
from academy.errors import Conflict, NotFound
from academy.learner_stores import LearnerStores, OpportunityStore
from academy.opportunities import Opportunity
from academy.store_values import Changes


async def load(stores: LearnerStores, catalogue: Catalogue) -> int:
    """How many documents were added: 0 when everything was there already."""
    added = 0
    # What a course refers to comes first: its counters are kept there.
    for university in catalogue.universities:
        added += await _once(stores.universities.add(university))
    for programme in catalogue.programmes:
        added += await _once(stores.programmes.add(programme))
    for instructor in catalogue.instructors:
        added += await _once(stores.instructors.add(instructor))
    for course in catalogue.courses:
        added += await _once(stores.courses.add(course))
        there = {lecture.id for lecture in await stores.courses.lectures(course.slug, drafts=True)}
        for lecture in catalogue.lectures:
            if lecture.course == course.slug and lecture.id not in there:
                await stores.courses.add_lecture(lecture)
                added += 1
    for opportunity in catalogue.opportunities:
        added += await _offered(stores.opportunities, opportunity)
    return added


async def _offered(store: OpportunityStore, offer: Opportunity) -> int:
    try:
        found = await store.get(offer.id)
    except NotFound:
        await store.add(offer)
        return 1
    if found.closes_on < now().date():
        await store.change(offer.id, Changes(found.revision, {"closes_on": offer.closes_on}))
    return 0


async def _once(adding: Awaitable[None]) -> int:
    try:
        await adding
    except Conflict:
        return 0  # the slug is there already
    return 1
