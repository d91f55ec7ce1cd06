"""Certificates: claiming, listing, verifying, printing, revoking; badges and the keys that sign them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from academy.badges import BadgeIssuer
from academy.certificates import Certificate, HolderName
from academy.errors import NotFound
from api import paging
from api.answers import PUBLIC, answer
from api.context import Context, Reader, Writer
from api.idempotency import IdempotencyKey
from api.learner_representations import CertificateOut
from api.representations import Listing
from api.routing import ACT, CREATE, READ, problems, router

routes: Final = router("certificates")
JWT_TYPE: Final = "application/vc+jwt"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Claim(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HolderName | None = Field(
        default=None, description="To be printed; without it, the name in your token"
    )


class Revocation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason = Field(description="Shown to everybody who verifies the certificate")


@routes.post(
    "/courses/{slug}/certificate",
    response_model=CertificateOut,
    status_code=201,
    responses={200: {"model": CertificateOut, "description": "Issued before"}, **CREATE},
)
async def claim_certificate(
    context: Writer,
    once: IdempotencyKey,
    slug: str,
    claim: Annotated[Claim | None, Body()] = None,
) -> Response:
    """409 until the course's completion rules are met; it names what is missing.

    Claimed again, it is the same certificate.
    """

    async def work() -> Response:
        certificate, new = await context.certification.claim(slug, claim.name if claim else None)
        return answer(
            context,
            _shown(context, certificate),
            status=201 if new else 200,
            location=f"/v1/certificates/{certificate.code}",
        )

    return await once(work)


@routes.get(
    "/me/certificates", response_model=Listing[CertificateOut], responses=problems(400, 401, 422)
)
async def list_my_certificates(
    context: Writer, limit: paging.Limit = paging.USUAL_LIMIT, cursor: paging.Cursor = None
) -> Response:
    """Newest first."""
    subject = context.access.person().subject
    keys, scope = context.services.backend.keys, paging.scope_of("certificates", subject=subject)
    page = await context.certification.mine(limit=limit, after=paging.decode(keys, scope, cursor))
    listing = Listing[CertificateOut](
        items=[_shown(context, each) for each in page.items],
        next_cursor=paging.encode(keys, scope, page.next),
    )
    return answer(context, listing)


@routes.get("/certificates/{code}", response_model=CertificateOut, responses=READ)
async def verify_certificate(context: Reader, code: str) -> Response:
    """For whoever holds the code, however they write it. A revoked one says so."""
    certificate = await context.certification.verify(code)
    return answer(context, _shown(context, certificate), revision=_revision(certificate))


@routes.get(
    "/certificates/{code}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **problems(401, 404, 422, 503)},
)
async def print_certificate(context: Reader, code: str) -> Response:
    """One A4 page in Chinese or English, with its fonts inside."""
    certificate = await context.certification.verify(code)
    language = "zh" if context.languages.everything else context.languages.first
    page = await context.services.learners.prints.page(certificate, language)
    headers = {
        "Content-Disposition": f'inline; filename="certificate-{certificate.code}.pdf"',
        "Cache-Control": PUBLIC,
        "Vary": "Accept-Language",
    }
    return Response(page, media_type="application/pdf", headers=headers)


@routes.get(
    "/certificates/{code}/badge",
    response_class=Response,
    responses={200: {"content": {JWT_TYPE: {}}}, **problems(401, 404)},
)
async def get_badge(context: Reader, code: str) -> Response:
    """The certificate as an Open Badges 3.0 credential: a JSON Web Token signed with EdDSA.

    Its `kid` is the address of the public key. 404 once revoked, and where no badges are signed.
    """
    issuer = _badges(context)
    certificate = await context.certification.verify(code)
    if not certificate.valid:
        raise NotFound("This certificate was revoked: there is no badge of it any more.")
    return Response(issuer.sign(certificate), media_type=JWT_TYPE, headers=_PUBLIC)


@routes.post("/certificates/{code}/revoke", response_model=CertificateOut, responses=ACT)
async def revoke_certificate(context: Writer, code: str, revocation: Revocation) -> Response:
    """For administrators. The certificate stays, and says that it was revoked, when and why."""
    certificate = await context.certification.revoke(code, revocation.reason)
    return answer(context, _shown(context, certificate), revision=_revision(certificate))


@routes.get("/badges/keys", response_model=dict[str, Any], responses=problems(401, 404))
async def list_badge_keys(context: Reader) -> Response:
    """A JWK Set (RFC 7517) of every public key that ever signed a badge."""
    return answer(context, _badges(context).key_set())


@routes.get("/badges/keys/{kid}", response_model=dict[str, Any], responses=problems(401, 404))
async def get_badge_key(context: Reader, kid: str) -> Response:
    """A JSON Web Key. Published for ever."""
    key = _badges(context).key(kid)
    if key is None:
        raise NotFound("No badge was ever signed with this key.")
    return answer(context, key)


@routes.get("/badges/issuer", response_model=dict[str, Any], responses=problems(401, 404))
async def get_badge_issuer(context: Reader) -> Response:
    """The issuer's Open Badges profile."""
    return answer(context, _badges(context).profile())


@routes.get("/badges/revocations", response_model=dict[str, Any], responses=problems(401, 404))
async def list_badge_revocations(context: Reader) -> Response:
    """A 1EdTech revocation list of all badges."""
    revoked = await context.services.backend.stores.certificates.revoked()
    return answer(context, _badges(context).revocations(revoked))


_PUBLIC: Final = {"Cache-Control": PUBLIC}


def _badges(context: Context) -> BadgeIssuer:
    found = context.services.learners.badges
    if found is None:
        raise NotFound("This installation signs no badges: ACADEMY_BADGE_KEYS is not set.")
    return found


def _shown(context: Context, certificate: Certificate) -> CertificateOut:
    held = context.services
    url = held.backend.settings.public_url
    return CertificateOut.of(
        certificate, context.languages, url, badges=bool(held.learners.badges and certificate.valid)
    )


def _revision(certificate: Certificate) -> int:
    return 1 if certificate.valid else 2
