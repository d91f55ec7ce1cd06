"""What a request works with: who asks, in which languages, and the services of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from academy.access import Access
from academy.attempts import Attempts
from academy.certification import Certification
from academy.editing import Editing
from academy.errors import Unauthenticated
from academy.growing import GrowingMedia
from academy.intake import Intake
from academy.invitations import Invitation
from academy.learning import Learning
from academy.partners import Partners
from academy.patching import Expected
from academy.people import Identity
from academy.playback import MediaLinks, Viewing
from academy.posting import Posting
from academy.purge_hook import PurgeHook
from academy.quotas import Quotas
from academy.stores import Stores
from academy.taking_down import Erasing, TakingDown
from academy.webhook_admin import Webhooks
from academy.webhook_targets import Targets
from academy.wiring import Backend
from api.auth import Authentication, bearer_scheme
from api.etags import revisions
from api.guests import OPERATIONS, Guests
from api.languages import AcceptLanguage, Lang, Languages
from api.learner_services import LearnerServices
from api.provenance import SCOPE_KEY, Provenance


@dataclass(frozen=True, slots=True)
class Services:
    """Built once per process, by the lifespan."""

    backend: Backend
    authentication: Authentication
    guests: Guests
    links: MediaLinks
    growing: GrowingMedia
    learners: LearnerServices
    closing: asyncio.Event
    """Set when the server begins to stop: streams end then."""

    @classmethod
    def of(cls, backend: Backend, closing: asyncio.Event) -> Services:
        settings = backend.settings
        return cls(
            backend=backend,
            authentication=Authentication(settings, backend.keys),
            guests=Guests(backend.keys, backend.stores.invitations),
            links=MediaLinks(backend.keys, settings.public_url, settings.public_media_url),
            growing=GrowingMedia(backend.stores),
            learners=LearnerServices.of(backend.stores, settings),
            closing=closing,
        )


def quotas_of(backend: Backend) -> Quotas:
    return Quotas(
        backend.stores.accounting,
        course_bytes=backend.settings.quota_course_bytes,
        instructor_bytes=backend.settings.quota_instructor_bytes,
    )


def erasing_of(backend: Backend) -> Erasing:
    return Erasing(backend.stores.takedowns, backend.storage, PurgeHook.of(backend.settings))


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


@dataclass(slots=True)
class Context:
    services: Services
    request: Request
    identity: Identity | None
    languages: Languages = field(default_factory=Languages)
    guest: Invitation | None = None
    upload_granted: str | None = None

    @property
    def public(self) -> bool:
        """Nothing was shown for it: neither a token nor the key of an upload."""
        return self.identity is None and self.upload_granted is None

    @property
    def stores(self) -> Stores:
        return self.services.backend.stores

    @property
    def access(self) -> Access:
        return Access(self.stores, self.identity, self.guest, self.upload_granted)

    @property
    def editing(self) -> Editing:
        return Editing(self.access)

    @property
    def partners(self) -> Partners:
        return Partners(self.access)

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.access)

    @property
    def intake(self) -> Intake:
        backend = self.services.backend
        most = backend.settings.max_upload_bytes
        return Intake(self.access, backend.storage, most, quotas_of(backend))

    @property
    def taking_down(self) -> TakingDown:
        return TakingDown(self.access, erasing_of(self.services.backend))

    @property
    def webhooks(self) -> Webhooks:
        backend = self.services.backend
        return Webhooks(self.access, backend.keys, Targets(backend.settings.webhook_networks))

    def made_from(self, marks: Iterable[str], *, until: float | None = None) -> None:
        """Lets a public answer be kept until one of these changes, or the Unix time `until`."""
        provenance: Provenance | None = self.request.scope.get(SCOPE_KEY)
        if provenance is not None:
            provenance.add(marks, until)

    @property
    def learning(self) -> Learning:
        held = self.services.learners
        stores = self.services.backend.stores
        return Learning(self.access, stores, held.heartbeats, held.lectures)

    @property
    def certification(self) -> Certification:
        return Certification(self.access, self.services.backend.stores, self.learning)

    @property
    def posting(self) -> Posting:
        return Posting(self.access, self.services.backend.stores)

    @property
    def viewing(self) -> Viewing:
        return Viewing(self.stores, self.services.links, self.services.growing)


async def anyone(request: Request) -> Context:
    held = services(request)
    return await context_of(held, request, request.headers.get("authorization"))


async def context_of(held: Services, request: Request, authorization: str | None) -> Context:
    """Of who sends this `Authorization`; an invitation is one where its bearer has something to do."""
    if request.scope["route"].name in OPERATIONS:
        found = await held.guests.guest(authorization)
        if found is not None:
            identity, guest = found
            return Context(held, request, identity, guest=guest)
    if authorization is None or authorization == request.headers.get("authorization"):
        return Context(held, request, await held.authentication.identity(request))
    return Context(held, request, await held.authentication.identity_of(authorization))


async def reader(
    request: Request, lang: Lang = None, accept_language: AcceptLanguage = None
) -> Context:
    """Without a dependency of its own: each costs a read a tenth of what is not the driver."""
    context = await anyone(request)
    context.languages = Languages.asked(lang, accept_language)
    return context


async def _localised(
    context: Annotated[Context, Depends(anyone)],
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Context:
    context.languages = Languages.asked(lang, accept_language)
    return context


async def _signed_in(
    context: Annotated[Context, Depends(anyone)],
    _: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_scheme)] = None,
) -> Context:
    if context.identity is None:
        raise Unauthenticated
    return context


async def _writer(
    context: Annotated[Context, Depends(_signed_in)],
    _: Annotated[Context, Depends(_localised)],
) -> Context:
    return context


def _expected(
    if_match: Annotated[
        str | None, Header(description="ETag of what was read: 412 when it changed since")
    ] = None,
) -> Expected:
    return revisions(if_match)


Anyone = Annotated[Context, Depends(anyone)]
"""Where there is nothing to read in a language."""
Reader = Annotated[Context, Depends(reader)]
"""Anybody; texts in the languages asked for."""
SignedIn = Annotated[Context, Depends(_signed_in)]
"""401 without a token."""
Writer = Annotated[Context, Depends(_writer)]
"""Signed in, and the answer is localised."""
IfMatch = Annotated[Expected, Depends(_expected)]
