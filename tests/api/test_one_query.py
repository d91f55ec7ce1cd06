"""A public read that has to be made asks the database once, whatever it brings together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from academy.wiring import Backend
from tests.fixtures_api import Client

ASKED = (
    "courses", "lectures", "universities", "programmes", "instructors", "media", "jobs", "recordings",
    "opportunities",
)  # fmt: skip
"""Not what works in the background looks at: the outbox, leases, streams of changes."""


@pytest.fixture(scope="module")
async def lecture(
    admin: Client,
    add_course: Callable[..., Awaitable[dict[str, Any]]],
    add_lecture: Callable[..., Awaitable[dict[str, Any]]],
) -> str:
    for noun in ("universities", "programmes", "instructors"):
        made = await admin.post(f"/v1/{noun}", json={"slug": "known", "name": "N"})
        assert made.status_code == 201
    names = {"universities": ["known"], "instructors": ["known"], "programme": "known"}
    await add_course("other", published=True, **names)
    await add_course("asked", published=True, **names)
    await add_lecture("asked", published=True)
    return str((await add_lecture("asked", published=True))["id"])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/courses",
        "/v1/courses?sort=title&limit=1",
        "/v1/courses?university=known&programme=known&sort=popular",
        "/v1/courses/asked",
        "/v1/lectures/{lecture}",
        "/v1/universities",
        "/v1/universities/known",
        "/v1/programmes",
        "/v1/programmes/known",
        "/v1/instructors",
        "/v1/instructors/known",
        "/v1/opportunities",
    ],
)
async def test_a_miss_is_one_query(
    anyone: Client, backend: Backend, app: Any, lecture: str, path: str
) -> None:
    # What works in the background may ask meanwhile, but not every time.
    for _ in range(5):
        commands = await _asked_for(path.format(lecture=lecture), anyone, backend, app)
        if len(commands) == 1:
            return
    raise AssertionError(commands)


async def _asked_for(path: str, anyone: Client, backend: Backend, app: Any) -> list[Any]:
    """What the database is asked while the answer is made."""
    database, cache = backend.stores.database, app.state.response_cache
    cache.forget()
    filled = cache.filled
    await database.command("profile", 2)
    try:
        answer = await anyone.get(path)
    finally:
        await database.command("profile", 0)
    assert answer.status_code == 200
    assert cache.filled == filled + 1
    # The search index follows in transactions of its own.
    ours = {
        "ns": {"$in": [f"{database.name}.{each}" for each in ASKED]},
        "command.txnNumber": {"$exists": False},
    }
    found = await database["system.profile"].find(ours).to_list()
    await database.drop_collection("system.profile")
    return [each.get("command") for each in found]
