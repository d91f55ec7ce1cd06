from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from academy.object_stores import Storage
from tests.contracts.sending import Sending


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def sending(storage: Storage, http: httpx.Client) -> Sending:
    return Sending(storage, http)
