"""The buffer of heartbeats: one write for many, bounded, nothing lost at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from academy.courses import now
from academy.errors import Unavailable
from academy.heartbeats import HeartbeatBuffer
from academy.ids import new_id
from academy.mongo.stores import MongoStores
from academy.progress import Heartbeat


def a_beat(subject: str, lecture: str = "lecture", upto: float = 5.0) -> Heartbeat:
    return Heartbeat(subject, lecture, "course", upto, ((0.0, upto),), now())


class Watched:
    """The real store, whose writes are counted and may be held up or refused."""

    def __init__(self, stores: MongoStores) -> None:
        self.real = stores.progress
        self.batches: list[Sequence[Heartbeat]] = []
        self.refusing = False
        self.open = asyncio.Event()
        self.open.set()

    def __getattr__(self, name: str):
        return getattr(self.real, name)

    async def record(self, beats: Sequence[Heartbeat]) -> Sequence[Heartbeat]:
        await self.open.wait()
        if self.refusing:
            raise Unavailable
        self.batches.append(beats)
        return await self.real.record(beats)


@pytest.fixture
def watched(stores):
    return Watched(stores)


async def kept(stores: MongoStores, subject: str):
    return await stores.progress.of_course(subject, "course")


async def test_many_heartbeats_become_one_write(stores, watched):
    buffer = HeartbeatBuffer(watched)
    subjects = [new_id() for _ in range(50)]
    for subject in subjects:
        for upto in (5.0, 10.0):
            await buffer.add(a_beat(subject, upto=upto))
    await buffer.close()
    assert [len(batch) for batch in watched.batches] == [50]
    for subject in subjects:
        assert (await kept(stores, subject))["lecture"].watched == ((0.0, 10.0),)


async def test_a_reader_sees_what_it_just_wrote(stores, watched):
    buffer = HeartbeatBuffer(watched)
    subject = new_id()
    watched.open.clear()
    await buffer.add(a_beat(subject))
    settling = asyncio.create_task(buffer.settle(subject))
    await asyncio.sleep(0)
    assert not settling.done()
    await buffer.settle("somebody who sent nothing")
    watched.open.set()
    await settling
    assert "lecture" in await kept(stores, subject)
    await buffer.close()


async def test_a_sender_is_answered_once_its_heartbeat_is_written(stores, watched):
    buffer = HeartbeatBuffer(watched)
    early, late = new_id(), new_id()
    watched.open.clear()
    first = asyncio.create_task(buffer.report(a_beat(early)))
    await asyncio.sleep(0.3)  # its write has begun
    second = asyncio.create_task(buffer.report(a_beat(late)))
    await asyncio.sleep(0)
    assert not first.done()
    watched.open.set()
    await first
    assert "lecture" in await kept(stores, early)
    await second
    assert "lecture" in await kept(stores, late)
    await buffer.close()


async def test_nobody_is_told_that_something_is_written_that_is_not(stores, watched):
    buffer = HeartbeatBuffer(watched)
    subject, too_long = new_id(), new_id()
    watched.refusing = True
    with pytest.raises(Unavailable, match="try again"):
        await buffer.report(a_beat(subject))
    watched.refusing = False
    await buffer.close()
    assert "lecture" in await kept(stores, subject)
    again = HeartbeatBuffer(watched)
    with pytest.raises(Unavailable):
        await again.report(a_beat(too_long, lecture="x" * 20_000_000))
    await again.close()


async def test_whoever_reports_again_while_a_write_runs_is_answered_too(
    stores, watched, monkeypatch
):
    monkeypatch.setattr("academy.heartbeats.BATCH", 1)
    buffer = HeartbeatBuffer(watched)
    first, second = new_id(), new_id()
    watched.open.clear()
    waiting = [asyncio.create_task(buffer.report(a_beat(each))) for each in (first, second)]
    await asyncio.sleep(0.3)  # the first one's write has begun, the second one's has not
    again = asyncio.create_task(buffer.report(a_beat(second, upto=9.0)))
    await asyncio.sleep(0)
    watched.open.set()
    await asyncio.gather(*waiting, again)
    assert (await kept(stores, second))["lecture"].watched == ((0.0, 9.0),)
    await buffer.close()


async def test_nothing_is_lost_while_the_database_is_away(stores, watched):
    buffer = HeartbeatBuffer(watched, patience=0.5)
    subject = new_id()
    watched.refusing = True
    await buffer.add(a_beat(subject, upto=7.0))
    with pytest.raises(Unavailable):
        await buffer.settle(subject)
    await buffer.add(a_beat(subject, upto=3.0))
    watched.refusing = False
    await buffer.close()
    found = (await kept(stores, subject))["lecture"]
    assert (found.watched, found.position) == (((0.0, 7.0),), 3.0)


async def test_a_full_buffer_lets_senders_wait_and_then_asks_them_to_come_back(stores, watched):
    buffer = HeartbeatBuffer(watched, most=2, patience=0.2)
    watched.open.clear()
    first, second, third, fourth = (new_id() for _ in range(4))
    await buffer.add(a_beat(first))
    await buffer.add(a_beat(second))
    # What is known already takes no more room.
    await buffer.add(a_beat(first, upto=9.0))
    waiting = asyncio.create_task(buffer.add(a_beat(third)))
    await asyncio.sleep(0)
    assert not waiting.done()
    watched.open.set()
    await waiting
    watched.open.clear()
    while len(buffer) < 2:
        await buffer.add(a_beat(new_id()))
    watched.refusing = True
    watched.open.set()
    with pytest.raises(Unavailable, match="next report"):
        await buffer.add(a_beat(fourth))
    watched.refusing = False
    await buffer.close()
    assert "lecture" in await kept(stores, third)
    assert await kept(stores, fourth) == {}


async def test_a_sender_that_leaves_takes_nobodys_heartbeats_along(stores, watched):
    buffer = HeartbeatBuffer(watched)
    subject = new_id()
    watched.open.clear()
    await buffer.add(a_beat(subject))
    reading = asyncio.create_task(buffer.settle(subject))
    await asyncio.sleep(0.3)  # the write has begun
    reading.cancel()
    await asyncio.wait({reading})
    watched.open.set()
    await buffer.close()
    assert "lecture" in await kept(stores, subject)


async def test_what_cannot_be_written_at_all_does_not_hold_up_others(stores, watched, caplog):
    buffer = HeartbeatBuffer(watched)
    poison, subject = new_id(), new_id()
    beat = a_beat(poison, lecture="x" * 20_000_000)  # beyond what a document may hold
    await buffer.add(beat)
    await buffer.close()
    again = HeartbeatBuffer(watched)
    await again.add(a_beat(subject))
    await again.close()
    assert "lecture" in await kept(stores, subject)
    assert "could not be written" in caplog.text
