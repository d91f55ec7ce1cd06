"""How many neighbouring parts one request of `academy upload` carries."""

import asyncio
import random

import pytest

from academy.commands import lanes, sending
from academy.errors import Conflict, Unavailable
from tests.academy.uploading.upload_site import puts

PART = 512 * 1024
"""Instead of 8 MiB."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("academy.uploads.USUAL_PART", PART)
    monkeypatch.setattr("academy.storage.staging.SMALLEST_PART", PART)
    monkeypatch.setattr(lanes, "MOST_BYTES", 4 * PART)


@pytest.fixture
def very_long_recording(tmp_path):
    """Thirteen parts."""
    file = tmp_path / "讲座 3.mp4"
    file.write_bytes(random.Random(9).randbytes(12 * PART + 12_345))
    return file


@pytest.fixture
def quick_lanes(monkeypatch):
    """`quick_lanes(count)`: however slow this machine is, what goes out in an hour needs no sharing."""

    def some(count):
        for module in (sending, lanes):
            monkeypatch.setattr(module, "PARALLEL", count)
        monkeypatch.setattr(lanes, "LONGEST", 3600.0)

    return some


@pytest.fixture
def one_quick_lane(quick_lanes):
    quick_lanes(1)


def numbers(network):
    """Of the parts that were begun, in order: a wider one has the number of its first."""
    return [int(line.split("?")[0].rsplit("/", 1)[1]) for line in puts(network)]


async def sizes(site, lecture_id):
    recording = await site.stores.recordings.newest(lecture_id)
    return {part.number: part.size for part in (await upload_of(site, recording)).parts}


async def upload_of(site, recording):
    return await site.stores.uploads.get(recording.upload_id)


@pytest.mark.usefixtures("one_quick_lane")
async def test_on_a_good_line_neighbours_travel_together(site, very_long_recording):
    lecture_id = await site.deliver(very_long_recording)
    assert await site.stored(lecture_id) == very_long_recording.read_bytes()
    assert numbers(site.network) == [1, 2, 6, 10]
    assert await sizes(site, lecture_id) == {
        1: PART,
        2: 4 * PART,
        6: 4 * PART,
        10: 3 * PART + 12_345,
    }


async def test_on_a_slow_line_each_part_travels_alone(site, very_long_recording, monkeypatch):
    monkeypatch.setattr(lanes, "LONGEST", 1e-6)
    lecture_id = await site.deliver(very_long_recording)
    assert await site.stored(lecture_id) == very_long_recording.read_bytes()
    assert sorted(numbers(site.network)) == list(range(1, 14))


@pytest.mark.usefixtures("one_quick_lane")
async def test_a_break_costs_what_travelled_together_and_then_parts_go_alone(
    site, very_long_recording
):
    broken: list[int] = []

    def cut(_head, received):
        if received > 2 * PART and not broken:
            broken.append(received)
        return broken == [received]

    site.network.cut = cut
    lecture_id = await site.deliver(very_long_recording)
    assert await site.stored(lecture_id) == very_long_recording.read_bytes()
    # Four went together, 2 to 5; after the break 2 alone, and never more than two together again.
    assert numbers(site.network) == [1, 2, 2, 3, 5, 7, 9, 11, 13]


@pytest.mark.usefixtures("one_quick_lane")
async def test_resuming_knows_what_a_wide_part_stands_for(site, very_long_recording, monkeypatch):
    monkeypatch.setattr(sending, "MOST_TRIES", 1)
    site.network.cut = lambda _head, received: received > 6 * PART
    with pytest.raises((Unavailable, Conflict), match=r"again|any more"):
        await site.deliver(very_long_recording)
    assert numbers(site.network) == [1, 2, 6]
    site.network.cut = lambda _head, _received: False
    site.network.requests.clear()
    site.network.received = 0
    lecture_id = await site.deliver(very_long_recording)
    assert numbers(site.network) == [6, 7, 11]
    assert await site.stored(lecture_id) == very_long_recording.read_bytes()
    assert site.network.received < 8 * PART


async def test_what_comes_back_at_the_very_end_is_shared_with_lanes_that_had_ended(
    site, very_long_recording, quick_lanes, monkeypatch
):
    """Two lanes and six parts: one lane takes the last four together, which break once the other has ended."""
    quick_lanes(2)
    monkeypatch.setattr(sending, "MOST_TRIES", 2)
    recording = very_long_recording.with_name("six.mp4")
    recording.write_bytes(very_long_recording.read_bytes()[: 6 * PART])
    both, beside = asyncio.Event(), asyncio.Event()
    arrived = lanes.Lane.arrived
    sizes_arrived = []

    def noted(lane, size, seconds):
        arrived(lane, size, seconds)
        sizes_arrived.append(size)
        if len(sizes_arrived) == 2:
            both.set()

    async def hold(data):
        if not data.startswith(b"PUT "):
            return
        begun = numbers(site.network)
        if begun[-1] > 3:
            beside.set()
        elif begun[-1] == 3 and begun.count(3) == 1:
            await asyncio.wait_for(both.wait(), 20)
            await asyncio.sleep(0.05)  # until the other lane has looked for more
            raise ConnectionResetError
        elif begun[-1] == 3:
            await asyncio.wait_for(beside.wait(), 20)  # goes on only beside another

    monkeypatch.setattr(lanes.Lane, "arrived", noted)
    site.network.hold = hold
    lecture_id = await site.deliver(recording)
    assert await site.stored(lecture_id) == recording.read_bytes()
    begun = numbers(site.network)
    assert (sorted(begun[:2]), begun[2]) == ([1, 2], 3)
    assert begun.count(3) == 2
    there = await sizes(site, lecture_id)
    assert (there[1], there[2], there[3]) == (PART, PART, PART)
