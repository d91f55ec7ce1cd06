"""The API over a real MongoDB and disk storage, asked in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from academy.people import Role
from academy.settings import Settings
from academy.tokens import issue
from academy.wiring import Backend
from api.app import create_app

BASE = "http://academy.test"
SECRET = "a secret of at least thirty-two characters"
Client = httpx.AsyncClient


@pytest.fixture(scope="module")
def api_settings(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    folder: Path = tmp_path_factory.mktemp("storage")
    return Settings(
        mongodb_url=mongo_url,
        mongodb_database=database_name,
        storage_url=f"file://{folder}",
        secret_key=SECRET,
        public_url=BASE,
        max_upload_bytes=64 * 1024**2,
        # Tests ask faster than people do; those of the limits set their own.
        rate_limit_reads="off",
        rate_limit_writes="off",
    )


@pytest.fixture(scope="module")
async def app(api_settings: Settings) -> AsyncIterator[FastAPI]:
    made = create_app(api_settings)
    with pytest.MonkeyPatch.context() as patch:
        # One learner's reports come one after another here, and each would wait a quarter of a second.
        patch.setattr("academy.heartbeats.EVERY", 0.02)
        async with made.router.lifespan_context(made):
            yield made


@pytest.fixture(scope="module")
def backend(app: FastAPI) -> Backend:
    found: Backend = app.state.services.backend
    return found


@pytest.fixture(scope="module")
async def anyone(app: FastAPI) -> AsyncIterator[Client]:
    """Somebody without a token."""
    async with client_of(app) as client:
        yield client


@pytest.fixture(scope="module")
async def sign_in(app: FastAPI, backend: Backend) -> AsyncIterator[Callable[..., Client]]:
    """`sign_in("instructor", "alice")`: a client with that account's token."""
    clients: list[Client] = []

    def signed_in(role: str, subject: str | None = None) -> Client:
        token = issue(backend.keys, Role(role), subject or role, 3600)
        clients.append(client_of(app, {"Authorization": f"Bearer {token}"}))
        return clients[-1]

    yield signed_in
    for client in clients:
        await client.aclose()


@pytest.fixture(scope="module")
def admin(sign_in: Callable[..., Client]) -> Client:
    return sign_in("admin", "root")


@pytest.fixture(scope="module")
def teacher(sign_in: Callable[..., Client]) -> Client:
    return sign_in("instructor", "teacher")


@pytest.fixture(scope="module")
def add_course(teacher: Client) -> Callable[..., Awaitable[dict[str, Any]]]:
    """`await add_course("slug", title="…", published=True)`, owned by `teacher`."""

    async def add(slug: str, *, published: bool = False, **fields: Any) -> dict[str, Any]:
        body = {"slug": slug, "title": {"en": slug, "zh": "课程"}, "language": "zh", **fields}
        answer = await teacher.post("/v1/courses", json=body)
        assert answer.status_code == 201, answer.text
        if published:
            answer = await teacher.post(f"/v1/courses/{slug}/publish")
            assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return add


@pytest.fixture(scope="module")
def add_lecture(teacher: Client) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def add(course: str, *, published: bool = False, **fields: Any) -> dict[str, Any]:
        body = {"title": {"en": "A lecture", "zh": "一讲"}, **fields}
        answer = await teacher.post(f"/v1/courses/{course}/lectures", json=body)
        assert answer.status_code == 201, answer.text
        if published:
            answer = await teacher.post(f"/v1/lectures/{answer.json()['id']}/publish")
            assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return add


def client_of(app: FastAPI, headers: dict[str, str] | None = None) -> Client:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=BASE, headers=headers or {}
    )
