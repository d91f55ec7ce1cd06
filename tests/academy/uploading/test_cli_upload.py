"""`academy upload`: a file becomes a lecture, and what is wrong is said in a sentence."""

import pytest

from academy.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from academy.people import Role
from academy.uploads import USUAL_PART
from tests.academy.uploading.upload_site import SIZE, puts


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


async def test_a_lecture_that_is_not_there_is_named(site, recording):
    with pytest.raises(NotFound, match="Is there a lecture “nowhere”"):
        await site.deliver(recording, course="", lecture_id="nowhere")


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
