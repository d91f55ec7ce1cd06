"""Tasks for the engine's own tests: importable by workers in other processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from distributed import get_worker

from academy.errors import Invalid, Unavailable
from academy.media import Receipt
from academy.tallies import STORAGE_ERRORS
from transcoding.announcements import TOPIC, Announcer, Event
from transcoding.tasks import Outcome, Result, Task, TaskKind, reported
from transcoding.wanted import Wanted


class AlwaysHeld:
    """A journal whose lease lasts."""

    def record(self, receipts: Any) -> None: ...

    def receipts(self) -> list[Receipt]:
        return []

    def held(self) -> bool:
        return True


def double(task: dict[str, Any]) -> dict[str, Any]:
    return {"value": 2 * task["value"]}


def invalid(task: dict[str, Any]) -> dict[str, Any]:
    raise Invalid(task["message"], code="told")


def tell(task: dict[str, Any]) -> dict[str, Any]:
    event = Event(
        media_id=task["media_id"], kind=TaskKind.VIDEO, chunk=7, attempt=1, execution=0, segments=3
    )
    get_worker().log_event(TOPIC, event.model_dump(mode="json"))
    get_worker().log_event(TOPIC, {"something": "else"})
    return {}


def until_unwanted(task: dict[str, Any]) -> dict[str, Any]:
    """Runs until nobody wants it any more, and leaves a file that says so."""
    wanted = Wanted(AlwaysHeld())
    folder = Path(task["folder"])
    (folder / "began").touch()
    while wanted:
        time.sleep(0.05)
    (folder / "ended").touch()
    return {}


def die_unless_last(task: dict[str, Any]) -> dict[str, Any]:
    """Kills its worker, as many times as it is told to."""
    folder = Path(task["folder"])
    deaths = len(list(folder.iterdir()))
    if deaths < task["deaths"]:
        (folder / str(deaths)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"deaths": deaths}


def order(task: dict[str, Any]) -> dict[str, Any]:
    with Path(task["file"]).open("a") as out:
        out.write(task["name"] + "\n")
    time.sleep(0.05)
    return {}


def straggle(data: dict[str, Any]) -> dict[str, Any]:
    """As an encoding task; the first execution of the last chunk goes on until nobody wants it."""
    task = Task.model_validate(data)
    Announcer(task).began()
    if task.chunk.index == 4 and task.execution == 0:
        until_unwanted(task.workspace)
    time.sleep(0.02)
    return Result(outcome=Outcome.DONE).model_dump(mode="json")


def without_storage(data: dict[str, Any]) -> dict[str, Any]:
    """An encoding task whose storage does not answer."""
    return reported(_without_storage, data)


def _without_storage(_: Task) -> Result:
    STORAGE_ERRORS.add("unreachable")
    raise Unavailable("The object storage does not answer.")
