"""An interrupted `academy upload` goes on with what is missing, and with nothing else."""

import asyncio
import json
import os
import re

import pytest

from academy.commands import remote, sending
from academy.commands.begun_elsewhere import begun_elsewhere
from academy.commands.resumption import Resumption, ResumptionFile
from academy.errors import Unauthenticated, Unavailable
from academy.uploads import USUAL_PART
from tests.academy.uploading.upload_site import SIZE, interrupted, puts


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


def expiring(network, token, stale, after):
    """From `after` bytes on the API is asked with an expired token where the client sends this one."""

    def change(data):
        if network.received > after:
            return data.replace(token.encode(), stale.encode())
        return data

    network.change = change


async def test_a_token_that_expires_half_way_is_named_and_the_next_one_sends_only_what_is_missing(
    site, long_recording, monkeypatch
):
    monkeypatch.setattr(sending, "PARALLEL", 1)
    token = site.token()
    expiring(site.network, token, site.token(expires_in=-60), USUAL_PART)
    with pytest.raises(Unauthenticated) as refused:
        await site.deliver(long_recording, token=token)
    assert "--token" in refused.value.message
    assert "goes on from here" in refused.value.message
    assert len(puts(site.network)) < 3
    sent = site.network.received
    begun = Resumption(**json.loads(next(site.folder.iterdir()).read_text()))

    site.network.change = lambda data: data
    lecture_id = await site.deliver(long_recording, token=site.token())
    assert lecture_id == begun.lecture_id
    assert await site.stored(lecture_id) == long_recording.read_bytes()
    assert len(puts(site.network)) == 3
    assert site.network.received < SIZE + 200_000 < sent + SIZE


async def test_what_is_under_way_when_a_token_expires_arrives_all_the_same(
    site, long_recording, monkeypatch
):
    monkeypatch.setattr(sending, "PARALLEL", 2)
    token = site.token()
    expiring(site.network, token, site.token(expires_in=-60), USUAL_PART - 100_000)
    refused = asyncio.Event()

    async def hold(data):
        """The second part, until the other lane has asked in vain for a link for the third."""
        line = data.split(b"\r\n", 1)[0]
        if line.startswith(b"PUT ") and b"/2?" in line:
            await refused.wait()
            await asyncio.sleep(0.5)
        elif sum(asked.startswith("POST /v1/uploads/") for asked in site.network.requests) == 3:
            refused.set()

    site.network.hold = hold
    with pytest.raises(Unauthenticated, match="goes on from here"):
        await site.deliver(long_recording, token=token)
    site.network.change = lambda data: data
    lecture_id = await site.deliver(long_recording)
    assert len(puts(site.network)) == 3
    assert await site.stored(lecture_id) == long_recording.read_bytes()
