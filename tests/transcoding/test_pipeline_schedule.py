from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from academy.errors import LeaseLost, RejectedMedia, Transient
from academy.jobs import FailureKind, Progress
from tests.transcoding.small_plan import CHUNKS, INSPECTION, PLAN
from transcoding import schedule
from transcoding.announcements import Event
from transcoding.engine import Engine, EngineLost, WorkersDied
from transcoding.ffmpeg import EncodingFailed
from transcoding.items import AUDIO_SHARE, Item, Meter, longest_first
from transcoding.schedule import Poisoned, Schedule
from transcoding.tasks import Outcome, Result, Task, TaskKind

Answer = Result | Exception | Callable[[Any], Awaitable[Result]]


class Scripted(Engine):
    """Answers from a list per chunk instead of running anything."""

    def __init__(self, answers: dict[int, list[Answer]], slots: int = 2) -> None:
        super().__init__(lambda: asyncio.sleep(0), local=True)
        self.answers = answers
        self.places = slots
        self.started: list[tuple[str, int, int]] = []
        self.priorities: list[int] = []
        self.most = self.now = 0

    async def slots(self) -> int:
        return self.places

    async def run(
        self, work: Any, task: dict[str, Any], *, key: tuple[str, int, int, int], priority: int
    ) -> dict[str, Any]:
        self.started.append((key[0].partition("-")[0], key[1], key[3]))
        self.priorities.append(priority)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            answers = self.answers.get(key[1], [])
            answer = answers.pop(0) if answers else done()
            if isinstance(answer, Exception):
                raise answer
            if callable(answer):
                answer = await answer(task)
            return answer.model_dump(mode="json")
        finally:
            self.now -= 1

    def begin(self, task: dict[str, Any]) -> None:
        self._heard((0.0, event(task).model_dump(mode="json")))


def event(task: dict[str, Any], segments: int = 0) -> Event:
    made = Task.model_validate(task)
    return Event(
        media_id=made.media_id,
        kind=made.kind,
        chunk=made.chunk.index,
        attempt=made.attempt,
        execution=made.execution,
        segments=segments,
    )


def done() -> Result:
    return Result(outcome=Outcome.DONE)


def short(at: float) -> Result:
    return Result(outcome=Outcome.SHORT, ends_at=at)


def failed(kind: FailureKind, code: str = "some") -> Result:
    return Result(outcome=Outcome.FAILED, failure=kind, code=code, message="It went wrong.")


@pytest.fixture(autouse=True)
def _patient_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None:
        await asyncio.get_running_loop().run_in_executor(None, int)

    monkeypatch.setattr(schedule, "pause", at_once)


async def run(engine: Engine, items: list[Item]) -> list[Progress]:
    heard: list[Progress] = []
    executions: dict[tuple[TaskKind, int], int] = {}

    def task(item: Item) -> Task:
        key = (item.kind, item.chunk.index)
        executions[key] = executions.get(key, -1) + 1
        return Task(
            kind=item.kind,
            media_id="m",
            workspace={},
            source_key="source",
            plan=PLAN,
            inspection=INSPECTION,
            chunk=item.chunk,
            attempt=1,
            execution=executions[key],
        )

    async def report(progress: Progress) -> None:
        heard.append(progress)

    meter = Meter(total=10.0, segment_seconds=1.0)
    await Schedule(engine, "m", task, meter, report).run(items)
    return heard


def video(*indexes: int) -> list[Item]:
    return [Item(TaskKind.VIDEO, CHUNKS[index]) for index in indexes or range(5)]


async def test_chunks_start_in_the_viewers_order_with_the_sound_first() -> None:
    engine = Scripted({}, slots=1)
    items = [*video(3, 0, 2), Item(TaskKind.AUDIO, CHUNKS[0]), Item(TaskKind.AUDIO, CHUNKS[1])]
    await run(engine, items)
    assert [(kind, index) for kind, index, _ in engine.started] == [
        ("audio", 0),
        ("video", 0),
        ("audio", 1),
        ("video", 2),
        ("video", 3),
    ]
    assert all(item.result and item.result.outcome is Outcome.DONE for item in items)


def test_where_nobody_watches_the_shortest_work_comes_last() -> None:
    sound = Item(TaskKind.AUDIO, CHUNKS[0].model_copy(update={"segments": 4}), share=AUDIO_SHARE)
    long = Item(TaskKind.VIDEO, CHUNKS[2].model_copy(update={"segments": 4}))
    [short] = video(0)
    assert sorted([sound, short, long], key=longest_first) == [long, short, sound]


async def test_earlier_chunks_are_more_urgent() -> None:
    engine = Scripted({})
    await run(engine, video())
    assert engine.priorities == [0, -1, -2, -3, -4]


async def test_a_straggler_is_encoded_twice_and_the_faster_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "PATIENCE", 0.0)
    monkeypatch.setattr(schedule, "LOOK_EVERY", 0.02)
    engine = Scripted({})
    stopped = asyncio.Event()

    async def works(task: dict[str, Any]) -> Result:
        engine.begin(task)
        await asyncio.sleep(0.01)
        return done()

    async def straggles(task: dict[str, Any]) -> Result:
        engine.begin(task)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    engine.answers = {n: [works] for n in range(4)} | {4: [straggles, works]}
    items = video()
    await run(engine, items)
    assert items[4].result == done()
    assert [each for each in engine.started if each[1] == 4] == [("video", 4, 0), ("video", 4, 1)]
    assert engine.priorities[-1] < min(engine.priorities[:-1])
    assert stopped.is_set()
    assert items[4].deaths == 0


async def test_a_straggler_outlives_the_failure_of_its_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "PATIENCE", 0.0)
    monkeypatch.setattr(schedule, "LOOK_EVERY", 0.02)
    engine = Scripted({})
    failing = asyncio.Event()

    async def works(task: dict[str, Any]) -> Result:
        engine.begin(task)
        await asyncio.sleep(0.01)
        return done()

    async def slow(task: dict[str, Any]) -> Result:
        engine.begin(task)
        await failing.wait()
        await asyncio.sleep(0.05)
        return done()

    async def fails(task: dict[str, Any]) -> Result:
        engine.begin(task)
        failing.set()
        return failed(FailureKind.TRANSIENT)

    engine.answers = {n: [works] for n in range(4)} | {4: [slow, fails]}
    items = video()
    await run(engine, items)
    assert items[4].result == done()
    assert items[4].tries == 1


async def test_nobody_is_helped_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "PATIENCE", 0.0)
    monkeypatch.setattr(schedule, "LOOK_EVERY", 0.005)
    engine = Scripted({}, slots=1)

    async def works(task: dict[str, Any]) -> Result:
        engine.begin(task)
        await asyncio.sleep(0.03)
        return done()

    engine.answers = {n: [works] for n in range(5)}
    await run(engine, video())
    assert len(engine.started) == 5


async def test_no_more_is_sent_than_encoders_and_one() -> None:
    engine = Scripted({}, slots=2)
    await run(engine, video())
    assert engine.most == 3


async def test_transient_failures_are_tried_again_as_new_executions() -> None:
    engine = Scripted({1: [failed(FailureKind.TRANSIENT), EngineLost(), done()]})
    items = video()
    await run(engine, items)
    assert [each for each in engine.started if each[1] == 1] == [
        ("video", 1, 0),
        ("video", 1, 1),
        ("video", 1, 2),
    ]
    assert items[1].result == done()


async def test_transient_failures_end_the_attempt_after_some_tries() -> None:
    engine = Scripted({0: [failed(FailureKind.TRANSIENT)] * 9})
    with pytest.raises(Transient, match="It went wrong"):
        await run(engine, video())
    assert len([each for each in engine.started if each[1] == 0]) == schedule.MOST_TRIES


async def test_a_stopped_task_that_is_still_wanted_is_sent_again() -> None:
    engine = Scripted({2: [Result(outcome=Outcome.STOPPED, code="cancelled")]})
    items = video()
    await run(engine, items)
    assert items[2].tries == 2


async def test_what_cannot_pass_ends_the_job_at_once() -> None:
    with pytest.raises(LeaseLost):
        await run(Scripted({0: [Result(outcome=Outcome.STOPPED, code="lease_lost")]}), video())
    with pytest.raises(RejectedMedia):
        await run(Scripted({0: [failed(FailureKind.SOURCE)]}), video())
    with pytest.raises(EncodingFailed) as raised:
        await run(Scripted({0: [failed(FailureKind.BUG, "wrong_init")]}), video())
    assert raised.value.kind is FailureKind.BUG


async def test_three_dead_workers_on_one_chunk_are_poison() -> None:
    engine = Scripted({})

    async def dies_again_and_again(task: dict[str, Any]) -> Result:
        # Dask starts the task anew on the next worker, each time one dies.
        for _ in range(4):
            engine.begin(task)
        await asyncio.Event().wait()
        raise AssertionError

    engine.answers = {1: [dies_again_and_again]}
    with pytest.raises(Poisoned) as raised:
        await run(engine, video())
    assert raised.value.code == "poison"
    assert raised.value.kind is FailureKind.BUG


async def test_two_dead_workers_are_bad_luck() -> None:
    engine = Scripted({})

    async def dies_twice(task: dict[str, Any]) -> Result:
        for _ in range(3):
            engine.begin(task)
        return done()

    engine.answers = {1: [dies_twice]}
    await run(engine, video())


async def test_schedulers_that_give_up_sooner_lead_to_the_same_verdict() -> None:
    engine = Scripted({})

    async def dies(task: dict[str, Any]) -> Result:
        engine.begin(task)
        raise WorkersDied

    engine.answers = {0: [dies] * 9}
    with pytest.raises(Poisoned):
        await run(engine, video())
    assert len([each for each in engine.started if each[1] == 0]) == 3


async def test_progress_counts_segments_as_they_are_recorded() -> None:
    engine = Scripted({})

    def encodes(index: int) -> Callable[[Any], Awaitable[Result]]:
        async def work(task: dict[str, Any]) -> Result:
            engine._heard((0.0, event(task, segments=2).model_dump(mode="json")))
            assert task["chunk"]["index"] == index
            return done()

        return work

    engine.answers = {index: [encodes(index)] for index in range(5)}
    heard = await run(engine, video())
    assert heard[-1].fraction == 1.0
    assert heard[-1].eta == 0.0
    assert heard[-1].speed is not None


async def test_cancelling_ends_what_is_running() -> None:
    engine = Scripted({})
    began = asyncio.Event()

    async def for_ever(task: dict[str, Any]) -> Result:
        began.set()
        await asyncio.Event().wait()
        return done()

    engine.answers = {index: [for_ever] for index in range(5)}
    running = asyncio.create_task(run(engine, video()))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert engine.now == 0
