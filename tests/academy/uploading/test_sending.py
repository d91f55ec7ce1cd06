"""Which requests of `academy upload` are under way at once, on a line that breaks when a test wants it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from academy.commands import lanes, sending
from academy.commands.lanes import Waiting
from academy.commands.remote import Remote
from academy.commands.sending import Parts, send_parts

PART = 1000


class Line:
    """Answers what the API and the store would; `begun` and `ended` in order: (number, parts together)."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.ended: list[tuple[int, int]] = []
        self.changed = asyncio.Condition()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            (part,) = json.loads(request.content)["parts"]
            url = f"http://store.test/{part['number']}/{part['count']}"
            return httpx.Response(200, json={"urls": [{"method": "PUT", "url": url}]})
        number, count = (int(each) for each in request.url.path.split("/")[1:])
        body = await request.aread()
        assert len(body) == PART * count
        await self._note(self.begun, (number, count))
        broke = await self.judge(number, count)
        await self._note(self.ended, (number, count))
        if broke:
            raise httpx.WriteError("the line broke")
        return httpx.Response(200)

    async def judge(self, number: int, count: int) -> bool:
        raise NotImplementedError

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(true)

    async def _note(self, place: list[tuple[int, int]], run: tuple[int, int]) -> None:
        async with self.changed:
            place.append(run)
            self.changed.notify_all()


class BreaksAtTheEnd(Line):
    """Two lanes and six parts: one lane takes the last four together, which break once the other has ended."""

    async def judge(self, number: int, count: int) -> bool:
        if count > 1 and len(self.ended) < 3:
            await self.until(lambda: len(self.ended) == 2)
            await asyncio.sleep(0.05)  # until its lane has looked for more
            return True
        if number == 3:
            await self.until(lambda: any(first > 3 for first, _ in self.begun))
        return False


async def test_what_comes_back_at_the_very_end_is_shared_with_lanes_that_had_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lanes, sending):
        monkeypatch.setattr(module, "PARALLEL", 2)
    monkeypatch.setattr(lanes, "MOST_BYTES", 4 * PART)
    monkeypatch.setattr(sending, "pause", lambda _tries: 0.0)
    file = tmp_path / "lecture.mp4"
    file.write_bytes(bytes(6 * PART))
    line = BreaksAtTheEnd()
    sent: list[int] = []
    async with Remote("http://api.test", "token") as remote:
        remote.http = httpx.AsyncClient(transport=httpx.MockTransport(line.answer))
        waiting = Waiting(range(1, 7))
        await send_parts(remote, "u", Parts(file, 6 * PART, PART, 6), waiting, sent.append)
    assert sorted(line.begun[:2]) == [(1, 1), (2, 1)]
    assert line.begun[2] == (3, 4)
    # Beside the first of them, which ended only then, the other lane began what follows.
    assert {(3, 1), (4, 1)} <= set(line.begun[3:])
    assert sorted({n for first, count in line.ended for n in range(first, first + count)}) == [
        *range(1, 7)
    ]
    assert sum(sent) == 6 * PART
