from __future__ import annotations

import base64
import json
import time

import jwt
import pytest

from academy import path_tokens
from academy.errors import Gone, NotFound, Unauthenticated
from academy.keys import KeyRing
from academy.people import Role
from academy.tokens import identity_of, issue, verify

KEYS = KeyRing("k" * 32)
MEDIA = "0123456789abcdef" * 2


def claims(**changes):
    usual = {"iss": "academy", "aud": "academy", "sub": "ann", "exp": time.time() + 60}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def test_a_token_carries_its_bearer_and_roles():
    identity = verify(KEYS, issue(KEYS, [Role.ADMIN, Role.INSTRUCTOR], "ann", 60))
    assert identity.subject == "ann"
    assert identity.roles == {Role.ADMIN, Role.INSTRUCTOR}


def test_a_token_of_the_previous_key_still_verifies():
    token = issue(KEYS, Role.LEARNER, "ann", 60)
    assert verify(KeyRing("n" * 32, "k" * 32), token).subject == "ann"
    with pytest.raises(Unauthenticated):
        verify(KeyRing("n" * 32), token)


def test_an_expired_token_says_so():
    with pytest.raises(Unauthenticated) as caught:
        verify(KEYS, issue(KEYS, Role.LEARNER, "ann", -3600))
    assert caught.value.code == "token_expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "elsewhere"},
        {"iss": "elsewhere"},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"nbf": time.time() + 3600},
    ],
)
def test_a_token_without_what_it_needs_is_refused(changes):
    token = jwt.encode(claims(**changes), KEYS.key("tokens"), algorithm="HS256")
    with pytest.raises(Unauthenticated):
        verify(KEYS, token)


def test_a_token_cannot_choose_its_own_algorithm():
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    unsigned = f"{part({'alg': 'none'})}.{part(claims())}."
    longer = jwt.encode(claims(), KEYS.key("tokens") * 2, algorithm="HS512")
    for token in (unsigned, longer, "", "a.b.c", "no token"):
        with pytest.raises(Unauthenticated):
            verify(KEYS, token)


def test_the_key_of_one_purpose_signs_nothing_else():
    token = jwt.encode(claims(), KEYS.key("path-tokens"), algorithm="HS256")
    with pytest.raises(Unauthenticated):
        verify(KEYS, token)


@pytest.mark.parametrize(
    ("given", "path", "roles"),
    [
        ({"roles": ["admin", "janitor", 3]}, "roles", {Role.ADMIN}),
        ({"roles": "learner instructor"}, "roles", {Role.LEARNER, Role.INSTRUCTOR}),
        ({"realm_access": {"roles": ["admin"]}}, "realm_access.roles", {Role.ADMIN}),
        ({"https://a.b/roles": ["admin"]}, "https://a.b/roles", {Role.ADMIN}),
        ({"realm_access": "admin"}, "realm_access.roles", set()),
        ({}, "roles", set()),
    ],
)
def test_roles_are_read_from_the_claim_that_is_set(given, path, roles):
    assert identity_of({"sub": "ann", **given}, roles_claim=path).roles == roles


def test_a_path_token_is_the_same_for_six_hours_and_lives_twelve_to_eighteen():
    begin = 6 * 3600 * 1000
    first = path_tokens.issue(KEYS, MEDIA, at=begin)
    assert path_tokens.issue(KEYS, MEDIA, at=begin + 6 * 3600 - 1) == first
    assert path_tokens.issue(KEYS, MEDIA, at=begin + 6 * 3600) != first
    assert path_tokens.verify(KEYS, first, at=begin + 18 * 3600 - 1) == MEDIA
    with pytest.raises(Gone) as caught:
        path_tokens.verify(KEYS, first, at=begin + 18 * 3600)
    assert caught.value.code == "link_expired"


def test_every_changed_character_of_a_path_token_is_noticed():
    token = path_tokens.issue(KEYS, MEDIA, at=0)
    for at, character in enumerate(token):
        changed = token[:at] + ("1" if character == "0" else "0") + token[at + 1 :]
        with pytest.raises(NotFound):
            path_tokens.verify(KEYS, changed, at=0)
