"""A course that can be completed: two lectures of known length, played from nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from academy.mongo.stores import MongoStores
from academy.store_values import Changes
from academy.wiring import Backend
from tests.documents import a_slug
from tests.fixtures_api import Client


@dataclass(frozen=True)
class Curriculum:
    """`lectures`: ids by length in seconds."""

    slug: str
    lectures: dict[float, str]

    @property
    def ids(self) -> list[str]:
        return list(self.lectures.values())


async def set_duration(stores: MongoStores, lecture: str, seconds: float) -> None:
    known = await stores.courses.lecture(lecture)
    await stores.courses.change_lecture(
        lecture, Changes(revision=known.revision, fields={"duration": seconds})
    )


AddCurriculum = Callable[..., Awaitable[Curriculum]]


@pytest.fixture(scope="module")
def add_curriculum(
    backend: Backend, add_course: Callable[..., Any], add_lecture: Callable[..., Any]
) -> AddCurriculum:
    """`await add_curriculum(100.0, 200.0)`: published, with a lecture of each length."""

    async def add(*lengths: float, slug: str | None = None) -> Curriculum:
        slug = slug or a_slug()
        await add_course(slug, published=True)
        lectures: dict[float, str] = {}
        for length in lengths:
            lecture = await add_lecture(slug, published=True)
            await set_duration(backend.stores, lecture["id"], length)
            lectures[length] = lecture["id"]
        return Curriculum(slug, lectures)

    return add


async def watch(client: Client, lecture: str, *ranges: tuple[float, float]) -> None:
    """Reports `ranges` as watched, the last one's end as the position."""
    report = {"position": ranges[-1][1], "watched": ranges}
    answer = await client.put(f"/v1/me/progress/{lecture}", json=report)
    assert answer.status_code == 204, answer.text
