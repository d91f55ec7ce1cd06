"""`academy gc` and `academy storage usage` as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from academy.storage.disk import DiskStorage
from tests.documents import PUBLICATION, a_claim_of, a_lecture_in, media_for

SECRET = "c" * 40


@pytest.fixture
async def academy(mongo_url, database_name, stores, tmp_path):
    """Runs a command over a course with one published lecture and one object that nobody needs."""
    storage = DiskStorage(tmp_path / "objects")
    lecture = await a_lecture_in(stores)
    job = await a_claim_of(stores, lecture)
    media = await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    for key in (
        f"recordings/{job.recording_id}/source",
        f"media/{media.id}/{PUBLICATION.hls}",
        f"media/{'0' * 32}/v360/0-1.m4s",
    ):
        storage.put(key, b"0123456789", content_type="video/mp4")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "academy.cli", *arguments, "--data-dir", str(tmp_path / "data")],
            env={
                "PATH": os.environ["PATH"],
                "COLUMNS": "200",
                "ACADEMY_MONGODB_URL": mongo_url,
                "ACADEMY_MONGODB_DATABASE": database_name,
                "ACADEMY_STORAGE_URL": f"file://{tmp_path / 'objects'}",
                "ACADEMY_SECRET_KEY": SECRET,
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run, lecture, media, storage


def test_garbage_is_shown_and_deleted_only_when_asked(academy):
    run, _, media, storage = academy
    looked = run("gc", "--older-than", "0")
    assert looked.returncode == 0, looked.stderr
    assert "Garbage: 1 × media, 1 objects, 10 bytes: no document names them." in looked.stdout
    assert f"MISSING: media {media.id}" in looked.stdout
    assert "Nothing was deleted" in looked.stdout
    assert len(list(storage.list("media/"))) == 2
    deleted = run("gc", "--older-than", "0", "--delete")
    assert deleted.returncode == 0, deleted.stderr
    assert "Deleted 1 objects (10 bytes), 0 uploads." in deleted.stdout
    assert [each.key for each in storage.list("media/")] == [f"media/{media.id}/{PUBLICATION.hls}"]
    again = run("gc", "--older-than", "0", "--json")
    assert json.loads(again.stdout)["orphans"] == []


def test_what_is_stored_is_listed_by_course_and_by_account(academy):
    run, lecture, *_ = academy
    by_course, by_owner = run("storage", "usage"), run("storage", "usage", "--by", "instructor")
    assert by_course.returncode == by_owner.returncode == 0, by_course.stderr + by_owner.stderr
    [line] = [line for line in by_course.stdout.splitlines() if lecture.course in line]
    assert line.split()[1:] == ["1", "1", "12", "3", "0", "15"]
    assert any(line.split()[:1] == ["teacher"] for line in by_owner.stdout.splitlines())
    assert "everything" in by_owner.stdout
