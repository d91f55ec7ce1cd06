"""Stragglers on a real Dask cluster: the second execution wins and the first one is ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.transcoding import engine_tasks
from tests.transcoding.small_plan import CHUNKS, INSPECTION, PLAN
from transcoding import schedule
from transcoding.engine import open_engine
from transcoding.items import Item, Meter
from transcoding.schedule import Schedule
from transcoding.tasks import Outcome, Task, TaskKind


async def test_a_free_encoder_helps_a_straggler_which_is_then_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "PATIENCE", 0.1)
    monkeypatch.setattr(schedule, "LOOK_EVERY", 0.05)
    monkeypatch.setitem(schedule.WORK, TaskKind.VIDEO, engine_tasks.straggle)
    executions = [0] * len(CHUNKS)

    def task(item: Item) -> Task:
        executions[item.chunk.index] += 1
        return Task(
            kind=item.kind,
            media_id="m",
            workspace={"folder": str(tmp_path)},
            source_key="source",
            plan=PLAN,
            inspection=INSPECTION,
            chunk=item.chunk,
            attempt=1,
            execution=executions[item.chunk.index] - 1,
        )

    async def report(_: object) -> None: ...

    items = [Item(TaskKind.VIDEO, chunk) for chunk in CHUNKS]
    async with open_engine(workers=2) as engine:
        meter = Meter(total=10.0, segment_seconds=1.0)
        await Schedule(engine, "m", task, meter, report).run(items)
        while not (tmp_path / "ended").exists():  # noqa: ASYNC110 - made in a worker's thread
            await asyncio.sleep(0.02)
    assert executions == [1, 1, 1, 1, 2]
    assert all(item.result and item.result.outcome is Outcome.DONE for item in items)
