import asyncio
import io
import json
import os
import random
import re
from contextlib import nullcontext

import pytest

from academy import tokens
from academy.commands import lanes, remote, sending
from academy.commands.begun_elsewhere import begun_elsewhere
from academy.commands.delivering import NotTranscoded, Order, deliver
from academy.commands.display import PlainDisplay
from academy.commands.resumption import Resumption, ResumptionFile
from academy.courses import Course
from academy.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from academy.jobs import Failure, FailureKind, Progress
from academy.keys import KeyRing
from academy.people import Role
from academy.settings import Settings
from academy.storage import open_storage
from academy.uploads import USUAL_PART, source_key
from api.app import create_app
from api.server import Server
from tests.academy.unsteady import UnsteadyNetwork

SECRET = "k" * 40
SIZE = 2 * USUAL_PART + 12_345


class Site:
    """The real API on a real database and disk, behind an unsteady network."""

    def __init__(self, network, settings, stores, folder):
        self.network = network
        self.stores = stores
        self.url = f"http://127.0.0.1:{network.port}"
        self.storage = open_storage(settings, KeyRing(SECRET))
        self.folder = folder
        self.said = io.StringIO()

    def token(self, role=Role.INSTRUCTOR, subject="ann"):
        return tokens.issue(KeyRing(SECRET), role, subject, 600)

    async def deliver(self, file, *, token=None, course="uploads", api=None, **order):
        return await deliver(
            Order(file, course, "讲座", "zh", **order),
            api or self.url,
            token or self.token(),
            self.folder,
            PlainDisplay(self.said),
        )

    async def stored(self, lecture_id):
        recording = await self.stores.recordings.newest(lecture_id)
        return b"".join(self.storage.read(source_key(recording.id)))


@pytest.fixture(scope="module")
async def served(stores, mongo_url, database_name, tmp_path_factory):
    network = UnsteadyNetwork()
    async with network.listening():
        settings = Settings(
            mongodb_url=mongo_url,
            mongodb_database=database_name,
            storage_url=f"file://{tmp_path_factory.mktemp('storage')}",
            public_url=f"http://127.0.0.1:{network.port}",
            secret_key=SECRET,
        )
        server = Server(create_app(settings), "127.0.0.1", 0)
        server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(server.run_app())
        while not server.started:
            assert not running.done(), running.result()
            await asyncio.sleep(0.02)
        network.target = server.servers[0].sockets[0].getsockname()[1]
        await stores.courses.add(
            Course(slug="uploads", title={"zh": "上传"}, language="zh", owner="ann")
        )
        yield network, settings
        server.should_exit = True
        await running


@pytest.fixture
def site(served, stores, tmp_path, monkeypatch):
    network, settings = served
    network.cut = lambda _head, _received: False
    network.change = lambda data: data
    network.received = 0
    network.requests.clear()
    monkeypatch.setattr(remote, "pause", lambda _tries: 0.02)
    monkeypatch.setattr(sending, "pause", lambda _tries: 0.02)
    return Site(network, settings, stores, tmp_path / "state")


@pytest.fixture
def recording(tmp_path):
    """One part."""
    file = tmp_path / "讲座 1.mp4"
    file.write_bytes(random.Random(7).randbytes(200_000))
    return file


@pytest.fixture
def long_recording(tmp_path):
    """Three parts."""
    file = tmp_path / "讲座 2.mp4"
    file.write_bytes(random.Random(8).randbytes(SIZE))
    return file


def puts(network):
    return [line for line in network.requests if line.startswith("PUT ")]


async def test_a_file_arrives_whole_and_nothing_is_kept_for_resuming(site, long_recording):
    lecture_id = await site.deliver(long_recording)
    assert await site.stored(lecture_id) == long_recording.read_bytes()
    lecture = await site.stores.courses.lecture(lecture_id)
    assert lecture.title == {"zh": "讲座"}
    assert lecture.language == "zh"
    assert not lecture.published
    kept = await site.stores.recordings.newest(lecture_id)
    assert kept.filename == "讲座 2.mp4"
    assert len(puts(site.network)) == 3
    assert not list(site.folder.iterdir())
    assert site.said.getvalue().splitlines()[-2] == "Uploading 100%"


async def test_who_does_not_wait_is_told_where_to_look(site, recording):
    lecture_id = await site.deliver(recording)
    last = site.said.getvalue().splitlines()[-1]
    assert f"{site.url}/studio#/lectures/{lecture_id} (or wait" in last


async def test_publish_lets_everyone_see_the_lecture(site, recording):
    lecture_id = await site.deliver(recording, publish=True)
    assert (await site.stores.courses.lecture(lecture_id)).published


async def test_a_broken_connection_costs_one_part_again_and_no_more(site, long_recording):
    broken: list[int] = []

    def cut(_head, received):
        if received > USUAL_PART and not broken:
            broken.append(received)
        return broken == [received]

    site.network.cut = cut
    lecture_id = await site.deliver(long_recording)
    assert len(broken) == 1
    assert await site.stored(lecture_id) == long_recording.read_bytes()
    assert site.network.received < SIZE + USUAL_PART + 1_000_000


async def test_a_byte_that_changed_on_the_way_is_refused_and_its_part_sent_again(
    site, long_recording
):
    whole = long_recording.read_bytes()
    changed: list[bytes] = []

    def change(data):
        # Once, somewhere inside a part: as many bytes, one of them another.
        if changed or len(data) < 1000 or data not in whole:
            return data
        changed.append(data)
        return data[:-1] + bytes([data[-1] ^ 1])

    site.network.change = change
    lecture_id = await site.deliver(long_recording)
    assert len(changed) == 1
    assert await site.stored(lecture_id) == whole
    assert len(puts(site.network)) == 4


async def interrupted(site, recording, monkeypatch):
    """After the first part, for good."""
    monkeypatch.setattr(sending, "PARALLEL", 1)
    monkeypatch.setattr(sending, "MOST_TRIES", 2)
    site.network.cut = lambda _head, received: received > USUAL_PART + 4_000_000
    with pytest.raises((Unavailable, Conflict), match=r"again|any more"):
        await site.deliver(recording)
    site.network.cut = lambda _head, _received: False


async def test_the_next_run_resumes_the_same_lecture_and_sends_only_what_is_missing(
    site, long_recording, monkeypatch
):
    await interrupted(site, long_recording, monkeypatch)
    (kept,) = site.folder.iterdir()
    begun = Resumption(**json.loads(kept.read_text()))
    site.network.received = 0
    lecture_id = await site.deliver(long_recording)
    assert lecture_id == begun.lecture_id
    assert await site.stored(lecture_id) == long_recording.read_bytes()
    assert site.network.received < SIZE - USUAL_PART + 1_000_000
    assert "Resuming an earlier upload" in site.said.getvalue()


async def test_another_machine_goes_on_with_the_same_file_and_no_other(
    site, recording, long_recording, tmp_path, monkeypatch
):
    await interrupted(site, long_recording, monkeypatch)
    (lecture_id,) = re.findall(r"--lecture (\w+)", site.said.getvalue())
    site.folder = tmp_path / "another machine"
    other = tmp_path / "other.mp4"
    other.write_bytes(bytes(SIZE))
    copied = tmp_path / "copied.mp4"
    copied.write_bytes(long_recording.read_bytes())
    async with remote.Remote(site.url, site.token()) as api:
        assert await begun_elsewhere(api, lecture_id, other, SIZE) is None
        assert await begun_elsewhere(api, lecture_id, recording, 200_000) is None
    site.network.received = 0
    assert await site.deliver(copied, course="", lecture_id=lecture_id) == lecture_id
    assert site.network.received < SIZE - USUAL_PART + 1_000_000
    assert await site.stored(lecture_id) == long_recording.read_bytes()
    assert "another machine began" in site.said.getvalue()


async def test_a_lecture_that_is_not_there_is_named(site, recording):
    with pytest.raises(NotFound, match="Is there a lecture “nowhere”"):
        await site.deliver(recording, course="", lecture_id="nowhere")


@pytest.fixture
def very_long_recording(tmp_path):
    """Thirteen parts."""
    file = tmp_path / "讲座 3.mp4"
    file.write_bytes(random.Random(9).randbytes(12 * USUAL_PART + 12_345))
    return file


@pytest.fixture
def one_quick_lane(monkeypatch):
    """However slow this machine is: what goes out in an hour needs no sharing."""
    monkeypatch.setattr(sending, "PARALLEL", 1)
    monkeypatch.setattr(lanes, "PARALLEL", 1)
    monkeypatch.setattr(lanes, "LONGEST", 3600.0)


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
        1: USUAL_PART,
        2: 4 * USUAL_PART,
        6: 4 * USUAL_PART,
        10: 3 * USUAL_PART + 12_345,
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
        if received > 2 * USUAL_PART and not broken:
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
    site.network.cut = lambda _head, received: received > 6 * USUAL_PART
    with pytest.raises((Unavailable, Conflict), match=r"again|any more"):
        await site.deliver(very_long_recording)
    assert numbers(site.network) == [1, 2, 6]
    site.network.cut = lambda _head, _received: False
    site.network.requests.clear()
    site.network.received = 0
    lecture_id = await site.deliver(very_long_recording)
    assert numbers(site.network) == [6, 7, 11]
    assert await site.stored(lecture_id) == very_long_recording.read_bytes()
    assert site.network.received < 8 * USUAL_PART


async def test_a_lecture_deleted_meanwhile_is_made_anew(site, recording):
    kept = ResumptionFile(site.folder, api=site.url, course="uploads", title="讲座", file=recording)
    kept.save(Resumption(lecture_id="0" * 32, upload_id="1" * 32))
    lecture_id = await site.deliver(recording)
    assert lecture_id != "0" * 32
    assert await site.stored(lecture_id) == recording.read_bytes()


async def test_an_upload_aborted_meanwhile_begins_anew_in_the_same_lecture(
    site, recording, monkeypatch
):
    monkeypatch.setattr(sending, "MOST_TRIES", 1)
    monkeypatch.setattr(remote, "MOST_TRIES", 1)
    site.network.cut = lambda head, _received: head.startswith(b"PUT ")
    with pytest.raises(Unavailable):
        await site.deliver(recording)
    site.network.cut = lambda _head, _received: False
    (kept,) = site.folder.iterdir()
    begun = Resumption(**json.loads(kept.read_text()))
    assert begun.upload_id is not None
    await site.stores.uploads.end(begun.upload_id, expired=True)
    lecture_id = await site.deliver(recording)
    assert lecture_id == begun.lecture_id
    assert await site.stored(lecture_id) == recording.read_bytes()


async def test_another_file_under_the_same_name_is_another_upload(site, recording):
    kept = ResumptionFile(site.folder, api="a", course="c", title="t", file=recording)
    os.utime(recording, ns=(1, 1))
    other = ResumptionFile(site.folder, api="a", course="c", title="t", file=recording)
    assert kept.path != other.path


async def test_a_file_that_grows_while_it_is_sent_is_refused(site, recording):
    def grow(head, _received):
        if head.startswith(b"PUT "):
            with recording.open("ab") as file:
                file.write(b"more")
        return False

    site.network.cut = grow
    with pytest.raises(Conflict, match="changed while it was being uploaded"):
        await site.deliver(recording)


async def test_an_unknown_course_is_named(site, recording):
    with pytest.raises(NotFound, match="nowhere"):
        await site.deliver(recording, course="nowhere")


async def test_a_learner_may_not_upload(site, recording):
    with pytest.raises((Forbidden, NotFound)):
        await site.deliver(recording, token=site.token(Role.LEARNER, "lea"))


async def test_a_bad_token_says_how_to_give_another(site, recording):
    with pytest.raises(Unauthenticated, match="--token"):
        await site.deliver(recording, token="nonsense")


async def test_an_api_that_is_not_there_says_how_to_start_it(site, recording):
    with pytest.raises(Unavailable, match="academy up"):
        await site.deliver(recording, api="http://127.0.0.1:9")


async def claimed(site):
    for _ in range(1200):
        if (job := await site.stores.jobs.claim_next("test")) is not None:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError("no job was queued")


async def told(site, text):
    for _ in range(1200):
        if text in site.said.getvalue():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never told: {text}\n{site.said.getvalue()}")


async def end_earlier_jobs(site):
    while (job := await site.stores.jobs.claim_next("test")) is not None:
        await site.stores.jobs.cancel(job.recording_id)


async def test_waiting_shows_progress_and_ends_with_the_failures_sentence(site, recording):
    await end_earlier_jobs(site)
    waiting = asyncio.create_task(site.deliver(recording, wait=True))
    job = await claimed(site)
    await site.stores.jobs.extend(job, Progress(stage="encoding", fraction=0.5, speed=2.5, eta=9))
    await told(site, "50%")
    await site.stores.jobs.fail(
        job, Failure(code="unreadable_media", message="这不是录像。", kind=FailureKind.SOURCE)
    )
    with pytest.raises(NotTranscoded, match="这不是录像。") as caught:
        await waiting
    assert caught.value.code == "unreadable_media"
    said = site.said.getvalue()
    assert "2.5× real time, about 9 s left" in said
    # The next run sends another attempt to the same lecture.
    lecture_id = await site.deliver(recording)
    assert (await site.stores.recordings.newest(lecture_id)).number == 2


async def test_waiting_goes_on_by_polling_where_streams_are_cut(site, recording, monkeypatch):
    from academy.commands import following

    monkeypatch.setattr(following, "POLL", 0.05)
    await end_earlier_jobs(site)
    site.network.cut = lambda head, _received: b"/recording/events" in head.split(b"\r\n", 1)[0]
    waiting = asyncio.create_task(site.deliver(recording, wait=True))
    job = await claimed(site)
    await site.stores.jobs.cancel(job.recording_id)
    with pytest.raises(NotTranscoded, match="cancelled"):
        await waiting
    assert any("/recording/events" in line for line in site.network.requests)
