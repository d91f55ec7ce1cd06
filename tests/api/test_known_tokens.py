"""Tokens verified a moment ago."""

from __future__ import annotations

import time

import pytest

from academy import tokens
from academy.keys import KeyRing
from academy.people import Identity, Role
from api.known_tokens import KEPT, KnownTokens
from tests.fixtures_api import SECRET


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_token(subject: str, seconds: float) -> str:
    return tokens.issue(KeyRing(SECRET), Role.LEARNER, subject, seconds)


def test_a_token_is_known_for_a_minute(clock):
    known, token = KnownTokens(clock=clock), a_token("ann", 3600)
    assert known.identity(token) is None
    known.remember(token, Identity(subject="ann"))
    clock.now += KEPT - 1
    assert known.identity(token) == Identity(subject="ann")
    clock.now += 2
    assert known.identity(token) is None


def test_a_token_is_not_known_beyond_its_own_end(clock):
    known, token = KnownTokens(clock=clock), a_token("ann", 10)
    known.remember(token, Identity(subject="ann"))
    clock.now += 9
    assert known.identity(token) is not None
    clock.now += 2
    assert known.identity(token) is None


def test_one_letter_makes_another_token(clock):
    known, token = KnownTokens(clock=clock), a_token("ann", 3600)
    known.remember(token, Identity(subject="ann"))
    assert known.identity(token[:-1] + ("A" if token[-1] != "A" else "B")) is None


def test_the_longest_known_goes_first(clock):
    known = KnownTokens(most=2, clock=clock)
    made = [a_token(name, 3600) for name in ("a", "b", "c")]
    for token in made:
        known.remember(token, Identity(subject="x"))
    assert [known.identity(token) is not None for token in made] == [False, True, True]
