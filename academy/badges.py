"""A certificate as an Open Badges 3.0 credential: a JSON Web Token that anybody can check without us.

https://www.imsglobal.org/spec/ob/v3p0/ §8.2 (VC-JWT): the payload is the credential itself plus the
registered claims; the header's `kid` is the address of the public key, which is published for ever.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from academy.badge_keys import BadgeKeys, Jwk
from academy.certificates import Certificate
from academy.localised import choose

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
KEYS_PATH: Final = "/v1/badges/keys"
ISSUER_PATH: Final = "/v1/badges/issuer"
REVOCATIONS_PATH: Final = "/v1/badges/revocations"


@dataclass(frozen=True, slots=True)
class BadgeIssuer:
    """`url`: this installation's public address, under which keys and certificates are found."""

    keys: BadgeKeys
    url: str
    name: str

    def profile(self) -> dict[str, Any]:
        """The issuer, as the address in every badge answers."""
        return {"@context": [*CONTEXTS], **self._profile()}

    def key_set(self) -> dict[str, Any]:
        """RFC 7517: every key that ever signed."""
        return {"keys": self._public()}

    def key(self, kid: str) -> Jwk | None:
        return next((key for key in self._public() if key["kid"] == kid), None)

    def credential(self, certificate: Certificate) -> dict[str, Any]:
        """The OpenBadgeCredential. The holder is identified by name only: accounts are nobody's business."""
        title = choose(certificate.title, [], certificate.language)[1]
        subject: dict[str, Any] = {"type": ["AchievementSubject"]}
        # The specification wants an id or an identifier; this one names the certificate, not an account.
        subject["id"] = f"{self._address(certificate)}#holder"
        if certificate.name is not None:
            subject["identifier"] = [
                {
                    "type": "IdentityObject",
                    "identityHash": certificate.name,
                    "identityType": "name",
                    "hashed": False,
                }
            ]
        return {
            "@context": [*CONTEXTS],
            "id": self._address(certificate),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": title,
            "issuer": self._profile(),
            "validFrom": _instant(certificate.issued_at),
            "credentialStatus": {
                "id": f"{self.url}{REVOCATIONS_PATH}",
                "type": "1EdTechRevocationList",
            },
            "credentialSubject": {
                **subject,
                "achievement": {
                    "id": f"{self.url}/courses/{certificate.course}",
                    "type": ["Achievement"],
                    "achievementType": "Course",
                    "name": title,
                    "description": _description(certificate, title),
                    "criteria": {"narrative": _criteria(certificate)},
                    "inLanguage": certificate.language,
                },
            },
        }

    def sign(self, certificate: Certificate) -> str:
        """The credential as a compact JWS (RFC 7515) with EdDSA (RFC 8037). Deterministic."""
        credential = self.credential(certificate)
        header = {"alg": "EdDSA", "typ": "JWT", "kid": f"{self.url}{KEYS_PATH}/{self.keys.kid}"}
        payload = {
            **credential,
            "iss": credential["issuer"]["id"],
            "jti": credential["id"],
            "sub": credential["credentialSubject"]["id"],
            "nbf": int(certificate.issued_at.timestamp()),
        }
        signed = f"{_part(header)}.{_part(payload)}"
        return f"{signed}.{_text(self.keys.sign(signed.encode()))}"

    def revocations(self, revoked: Sequence[Certificate]) -> dict[str, Any]:
        """A 1EdTech revocation list: what `credentialStatus` of every badge points to."""
        return {
            "@context": [*CONTEXTS, "https://purl.imsglobal.org/spec/vcrl/v1p0/context.json"],
            "id": f"{self.url}{REVOCATIONS_PATH}",
            "type": "1EdTechRevocationList",
            "issuer": f"{self.url}{ISSUER_PATH}",
            "revokedCredential": [
                {
                    "id": self._address(each),
                    "revoked": True,
                    "revocationReason": each.reason or "",
                }
                for each in revoked
            ],
        }

    def _profile(self) -> dict[str, Any]:
        return {
            "id": f"{self.url}{ISSUER_PATH}",
            "type": ["Profile"],
            "name": self.name,
            "url": self.url,
        }

    def _public(self) -> list[Jwk]:
        return [{**key, "alg": "EdDSA", "use": "sig"} for key in self.keys.public()]

    def _address(self, certificate: Certificate) -> str:
        return f"{self.url}/v1/certificates/{certificate.code}"


def _description(certificate: Certificate, title: str) -> str:
    hours = max(1, round(certificate.duration / 3600))
    return f"Completed the course “{title}”: {certificate.lectures} lectures, about {hours} h."


def _criteria(certificate: Certificate) -> str:
    return (
        f"Watched at least {certificate.share:.0%} of every second of each of the course's "
        f"{certificate.lectures} required lectures."
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _part(document: Mapping[str, Any]) -> str:
    return _text(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
