"""Tokens of an OpenID Connect issuer: a real one, over HTTP, with keys of its own."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.requests import Request

from academy.errors import SettingsError, Unauthenticated, Unavailable
from academy.keys import KeyRing
from academy.people import Role
from academy.settings import Settings
from academy.tokens import issue
from api.auth import Authentication
from api.oidc import OidcIssuer

AUDIENCE = "academy-api"


class Issuer:
    """Discovery and JWKS on loopback; `keys` by id."""

    def __init__(self):
        self.keys: dict[str, Any] = {
            "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
        }
        self.requests: list[str] = []
        self.claimed = None
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.requests.append(self.path)
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.claimed or self.url, "jwks_uri": f"{self.url}/keys"}
        algorithms: dict[str, Any] = {
            "rsa": jwt.algorithms.RSAAlgorithm,
            "ec": jwt.algorithms.ECAlgorithm,
        }
        return {
            "keys": [
                json.loads(algorithms[name.split("-")[0]].to_jwk(key.public_key()))
                | {"kid": name, "use": "sig"}
                for name, key in self.keys.items()
            ]
        }

    def token(self, kid="rsa", algorithm="RS256", key=None, **changes):
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "exp": time.time() + 60,
            "realm_access": {"roles": ["instructor"]},
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self.keys[kid], algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def verifier(issuer):
    return OidcIssuer(issuer.url, AUDIENCE, "realm_access.roles")


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
async def test_both_algorithms_verify_with_the_issuers_keys(issuer, verifier, kid, algorithm):
    identity = await verifier.verify(issuer.token(kid, algorithm))
    assert (identity.subject, identity.roles) == ("ann", {Role.INSTRUCTOR})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another application"},
        {"aud": None},
        {"iss": "https://elsewhere.test"},
        {"exp": time.time() - 3600},
        {"exp": None},
        {"sub": None},
    ],
)
async def test_tokens_for_others_or_out_of_time_are_refused(issuer, verifier, changes):
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.token(**changes))


def forged_of(token, algorithm, secret):
    """`none`, or the classic confusion: signed with HMAC, the public key as its secret."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = part(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "rsa"}).encode())
    message = header + b"." + token.split(".")[1].encode()
    signature = hmac.digest(secret, message, "sha256") if secret else b""
    return (message + b"." + part(signature)).decode()


async def test_a_token_cannot_choose_a_weaker_way(issuer, verifier):
    pem = (
        issuer.keys["rsa"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    forged = [
        forged_of(issuer.token(), "HS256", pem),
        forged_of(issuer.token(), "none", None),
        issuer.token(algorithm="RS512"),
        issuer.token(algorithm="PS256"),
        issuer.token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        issuer.token() + "x",
        "nonsense",
    ]
    for token in forged:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_keys_are_fetched_once_and_unknown_ids_fetch_no_more(issuer, verifier):
    issuer.requests.clear()
    for _ in range(3):
        await verifier.verify(issuer.token())
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for number in range(3):
        with pytest.raises(Unauthenticated):
            await verifier.verify(issuer.token(kid=f"made-up-{number}", key=stranger))
    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


async def test_a_discovery_document_of_somebody_else_is_not_believed(issuer):
    issuer.claimed = "https://elsewhere.test"
    try:
        with pytest.raises(Unavailable):
            await OidcIssuer(issuer.url, AUDIENCE, "roles").verify(issuer.token())
    finally:
        issuer.claimed = None


async def test_an_issuer_that_does_not_answer_is_unavailable_and_asked_again_later(issuer):
    away = OidcIssuer("http://127.0.0.1:9", AUDIENCE, "roles")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await away.verify(issuer.token())


def test_an_issuer_needs_an_audience():
    with pytest.raises(SettingsError, match="ACADEMY_OIDC_AUDIENCE"):
        OidcIssuer.of(Settings(oidc_issuer="https://a.test"))
    assert OidcIssuer.of(Settings()) is None


async def test_with_an_issuer_our_own_tokens_open_nothing(issuer):
    keys = KeyRing("k" * 32)
    own = issue(keys, Role.ADMIN, "ann", 60)

    def asked_with(token):
        headers = [(b"authorization", f"Bearer {token}".encode())]
        return Request({"type": "http", "headers": headers})

    settings = Settings(oidc_issuer=issuer.url, oidc_audience=AUDIENCE)
    with_issuer, without = Authentication(settings, keys), Authentication(Settings(), keys)
    found = await without.identity(asked_with(own))
    assert found is not None
    assert found.is_admin
    with pytest.raises(Unauthenticated):
        await with_issuer.identity(asked_with(own))
    theirs = issuer.token(roles=["learner"])
    found = await with_issuer.identity(asked_with(theirs))
    assert found is not None
    assert found.roles == {Role.LEARNER}
    with pytest.raises(Unauthenticated):
        await without.identity(asked_with(theirs))
