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
    database = backend.stores.database
    app.state.response_cache.forget()
    filled = app.state.response_cache.filled
    await database.command("profile", 2)
    try:
        answer = await anyone.get(path.format(lecture=lecture))
    finally:
        await database.command("profile", 0)
    assert answer.status_code == 200
    assert app.state.response_cache.filled == filled + 1
    seen = [f"{database.name}.{each}" for each in ASKED]
    # The search index follows in transactions of its own.
    readers = {"ns": {"$in": seen}, "command.txnNumber": {"$exists": False}}
    asked = await database["system.profile"].find(readers).to_list()
    await database.drop_collection("system.profile")
    assert len(asked) == 1, [each.get("command") for each in asked]
