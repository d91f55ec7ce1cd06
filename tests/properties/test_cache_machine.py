"""The response cache as Hypothesis sees it: writes, deletes, publications and reads through two processes.

Reads race with writes, change streams are killed, and after each step, once the caches were told of
all that was written, every page must be what an application without a cache answers. So must what the
server takes from them without asking (`ready`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from academy.courses import University, now
from academy.errors import NotFound
from academy.people import Instructor
from academy.settings import Settings
from academy.store_values import Changes
from tests.documents import a_course, a_lecture, a_slug
from tests.fixtures_api import BASE, SECRET
from tests.two_processes import Processes, two_processes

MOST_COURSES = 3
numbers = st.integers(min_value=0, max_value=5)


class CacheMachine(RuleBasedStateMachine):
    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], made: Processes) -> None:
        super().__init__()
        self.run, self.processes, self.stores = run, made, made.stores
        self.courses: list[str] = []
        self.lectures: list[str] = []
        self.gone: list[str] = []
        self.at_once = 0
        """Answers that a server would have sent without asking the application."""

    @initialize()
    def begin(self) -> None:
        self.university, self.teacher = a_slug(), a_slug()

        async def work() -> None:
            for slug in await self.stores.database.courses.distinct("_id"):
                await self.stores.courses.delete(slug)
            await self.stores.universities.add(University(slug=self.university, name={"en": "U"}))
            await self.stores.instructors.add(Instructor(slug=self.teacher, name={"en": "T"}))

        self.run(work())
        self.add_course()
        self.add_lecture(0)

    @precondition(lambda self: len(self.courses) < MOST_COURSES)
    @rule()
    def add_course(self) -> None:
        course = a_course(
            universities=[self.university], instructors=[self.teacher], published_at=now()
        )
        self.courses.append(course.slug)
        self.step(self.stores.courses.add(course))

    @precondition(lambda self: self.courses)
    @rule(which=numbers)
    def add_lecture(self, which: int) -> None:
        async def work() -> None:
            slug = self.courses[which % len(self.courses)]
            added = await self.stores.courses.add_lecture(a_lecture(slug, published=True))
            self.lectures.append(added.id)

        self.step(work())

    @precondition(lambda self: self.courses)
    @rule(which=numbers, hidden=st.booleans())
    def publish_course(self, which: int, hidden: bool) -> None:
        async def work() -> None:
            course = await self.stores.courses.get(self.courses[which % len(self.courses)])
            fields = {"published_at": None if hidden else now()}
            await self.stores.courses.change(course.slug, Changes(course.revision, fields))

        self.step(work())

    @precondition(lambda self: self.courses)
    @rule(which=numbers, title=st.sampled_from("abc"))
    def rename_course(self, which: int, title: str) -> None:
        async def work() -> None:
            course = await self.stores.courses.get(self.courses[which % len(self.courses)])
            fields = {"title": {"en": title, "zh": title * 2}}
            await self.stores.courses.change(course.slug, Changes(course.revision, fields))

        self.step(work())

    @precondition(lambda self: len(self.courses) > 1)
    @rule(which=numbers)
    def delete_course(self, which: int) -> None:
        slug = self.courses.pop(which % len(self.courses))
        self.gone.append(f"/v1/courses/{slug}")
        self.step(self.stores.courses.delete(slug))

    @precondition(lambda self: self.lectures)
    @rule(which=numbers, published=st.booleans(), place=st.integers(1, 3))
    def change_lecture(self, which: int, published: bool, place: int) -> None:
        async def work() -> None:
            with contextlib.suppress(NotFound):  # it went with its course
                lecture = await self.stores.courses.lecture(
                    self.lectures[which % len(self.lectures)]
                )
                fields = {"published": published, "position": place}
                await self.stores.courses.change_lecture(
                    lecture.id, Changes(lecture.revision, fields)
                )

        self.step(work())

    @precondition(lambda self: self.lectures)
    @rule(which=numbers, title=st.sampled_from("abc"))
    def rename_lecture(self, which: int, title: str) -> None:
        """A write that touches no other document."""

        async def work() -> None:
            with contextlib.suppress(NotFound):
                lecture = await self.stores.courses.lecture(
                    self.lectures[which % len(self.lectures)]
                )
                changes = Changes(lecture.revision, {"title": {"en": title}})
                await self.stores.courses.change_lecture(lecture.id, changes)

        self.step(work())

    @precondition(lambda self: self.lectures)
    @rule(which=numbers)
    def delete_lecture(self, which: int) -> None:
        lecture_id = self.lectures.pop(which % len(self.lectures))
        self.gone.append(f"/v1/lectures/{lecture_id}")

        async def work() -> None:
            with contextlib.suppress(NotFound):
                await self.stores.courses.delete_lecture(lecture_id)

        self.step(work())

    @rule(name=st.sampled_from("xyz"))
    def rename_teacher(self, name: str) -> None:
        async def work() -> None:
            teacher = await self.stores.instructors.get(self.teacher)
            await self.stores.instructors.change(
                self.teacher, Changes(teacher.revision, {"name": {"en": name}})
            )

        self.step(work())

    @rule()
    def kill_streams(self) -> None:
        self.step(self.processes.kill_streams())

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.1]))
    def dawdle(self, seconds: float) -> None:
        self.processes.dawdle = seconds

    def teardown(self) -> None:
        assert self.at_once  # or nothing was compared

    def addresses(self) -> list[str]:
        return [
            "/v1/courses",
            "/v1/courses?sort=title&lang=en",
            f"/v1/universities/{self.university}",
            f"/v1/instructors/{self.teacher}",
            *(f"/v1/courses/{slug}" for slug in self.courses),
            *(f"/v1/lectures/{lecture_id}" for lecture_id in self.lectures[-3:]),
            *self.gone[-2:],
        ]

    def step(self, writing: Coroutine[Any, Any, Any]) -> None:
        """Writes while everything is being read, then compares every page."""
        self.run(self._step(writing))

    async def _step(self, writing: Coroutine[Any, Any, Any]) -> None:
        addresses = self.addresses()
        clients = self.processes.kept
        for cache in self.processes.caches:
            cache.forget()  # so that every read is a fill, to be overtaken
        dawdle = self.processes.dawdle
        racing = (client.get(path) for client in clients for path in addresses)
        await asyncio.gather(*racing, writing, *(client.get(addresses[0]) for client in clients))
        await self.processes.settled()
        self.processes.dawdle = 0.0
        for path in self.addresses():
            fresh = await self.processes.fresh.get(path)
            for client in clients:
                kept = await client.get(path)
                assert (kept.status_code, kept.content) == (fresh.status_code, fresh.content), path
            for at_once in self.processes.ready(path):
                assert at_once in {None, fresh.content}, path
                self.at_once += at_once is not None
        self.processes.dawdle = dawdle


@pytest.fixture(scope="module")
def environment(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Callable[[Coroutine[Any, Any, Any]], Any], Processes]]:
    folder: Path = tmp_path_factory.mktemp("storage")
    made: AbstractAsyncContextManager[Processes] = two_processes(
        Settings(
            mongodb_url=mongo_url,
            mongodb_database=database_name,
            storage_url=f"file://{folder}",
            secret_key=SECRET,
            public_url=BASE,
            rate_limit_reads="1000000/second",
        )
    )
    # With a loop factory the runner leaves the session's own event loop in place.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner.run, runner.run(made.__aenter__())
        runner.run(made.__aexit__(None, None, None))


def check(
    environment: tuple[Callable[[Coroutine[Any, Any, Any]], Any], Processes],
    examples: int,
    steps: int,
) -> None:
    run_state_machine_as_test(
        lambda: CacheMachine(*environment),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_process_shows_what_is_not_so(environment):
    check(environment, examples=6, steps=8)


@pytest.mark.slow
def test_no_process_shows_what_is_not_so_at_length(environment):
    check(environment, examples=60, steps=25)
