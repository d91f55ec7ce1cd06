"""From a file on disk to a lecture that plays, as somebody at a terminal does it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.fixtures_footage import Footage
from tests.journeys.decoding import complaints, decode, frames_of
from tests.journeys.installation import Installation, summary
from tests.transcoding.test_hostile_bombs import lying

pytestmark = [pytest.mark.journey]


def test_an_uploaded_recording_becomes_a_lecture_that_plays(
    academy: Installation, footage: Footage
) -> None:
    recording = footage("lecture", duration=14)
    result = academy.run(
        *("upload", str(recording), "--course", "journey", "--title", "第一讲 · First"),
        *("--publish", "--wait"),
    )
    lecture_id = academy.uploaded(result)

    seen_by_anybody = httpx.get(f"{academy.url}/v1/lectures/{lecture_id}")
    assert seen_by_anybody.status_code == 200
    playback = seen_by_anybody.json()["playback"]
    assert playback["state"] == "ready"
    assert playback["duration"] == pytest.approx(14, abs=0.05)

    hls = decode(playback["hls"])
    assert hls.frames == 14 * 30
    # ffmpeg's reader shifts tracks with negative composition offsets by two frames; players do not.
    assert hls.end - hls.first == pytest.approx(14, abs=0.001)
    assert hls.audio_seconds == pytest.approx(14, abs=0.05)
    assert complaints(playback["hls"]) == ""
    assert frames_of(playback["dash"]) == 14 * 30
    assert httpx.get(playback["poster"], follow_redirects=True).content[:2] == b"\xff\xd8"
    assert httpx.get(playback["storyboard"]).text.startswith("WEBVTT")


SLOW_KINDS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("rotated", "ntsc")]


@pytest.mark.parametrize("kind", ["webm", *SLOW_KINDS])
def test_ordinary_containers_and_cameras_are_taken(
    academy: Installation, footage: Footage, kind: str
) -> None:
    recording = footage(kind, duration=6)
    result = academy.run(
        *("upload", str(recording), "--course", "journey", "--title", kind, "--publish", "--wait")
    )
    playback = academy.lecture(academy.uploaded(result))["playback"]
    assert playback["state"] == "ready"
    seen = decode(playback["hls"])
    assert seen.end - seen.first == pytest.approx(6, abs=0.1)


def test_a_file_that_is_no_recording_is_refused_in_a_sentence(
    academy: Installation, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("These are my notes, not a recording.\n" * 200)
    result = academy.run(
        *("upload", str(notes), "--course", "journey", "--title", "Notes", "--wait"), check=False
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    lecture_id = academy.uploaded(result)
    recording = academy.recording(lecture_id)
    assert recording["state"] == "failed"
    assert recording["failure"]["message"] in " ".join(result.stderr.split())
    assert academy.lecture(lecture_id)["playback"]["state"] == "failed"


def test_the_transcoder_goes_on_after_hostile_files(
    academy: Installation, footage: Footage, tmp_path: Path
) -> None:
    """The same process: it neither ended nor hangs, and a good recording plays after them."""
    before = academy.child("transcoder").pid
    lying_index = lying(footage("lecture"), tmp_path / "index.mp4", b"stsz", 12, 0xFFFFFFFF)
    for hostile in (lying_index, footage("giant_picture")):
        result = academy.run(
            *("upload", str(hostile), "--course", "journey", "--title", hostile.stem, "--wait"),
            check=False,
        )
        assert result.returncode == 1
        recording = academy.recording(academy.uploaded(result))
        assert recording["state"] == "failed"
        assert recording["failure"]["message"] in " ".join(result.stderr.split())
    good = academy.run(
        *("upload", str(footage("lecture", duration=6)), "--course", "journey"),
        *("--title", "After them", "--publish", "--wait"),
    )
    playback = academy.lecture(academy.uploaded(good))["playback"]
    assert decode(playback["hls"]).frames == 6 * 30
    assert academy.child("transcoder").pid == before


def test_a_course_that_does_not_exist_is_named_in_the_error(
    academy: Installation, footage: Footage
) -> None:
    result = academy.run(
        *("upload", str(footage("lecture")), "--course", "no-such-course", "--title", "Lost"),
        check=False,
    )
    assert result.returncode == 1
    assert "no-such-course" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_failed_replacement_leaves_the_lecture_playing(
    academy: Installation, footage: Footage, tmp_path: Path
) -> None:
    first = academy.run(
        *("upload", str(footage("lecture", duration=6)), "--course", "journey"),
        *("--title", "Replaced", "--publish", "--wait"),
    )
    lecture_id = academy.uploaded(first)
    before = academy.lecture(lecture_id)["playback"]
    content = b"not a recording at all " * 4000
    upload = academy.client.post(
        f"/v1/lectures/{lecture_id}/uploads",
        json={"filename": "b.mp4", "size": len(content), "content_type": "video/mp4"},
    ).json()
    link = academy.client.post(f"/v1/uploads/{upload['id']}/parts", json={"numbers": [1]}).json()
    part = link["urls"][0]
    sent = httpx.request(part["method"], part["url"], headers=part["headers"], content=content)
    assert sent.status_code == 200, sent.text
    assert academy.client.post(f"/v1/uploads/{upload['id']}/complete").status_code == 202
    academy.settled(lecture_id, "failed")
    after = academy.lecture(lecture_id)["playback"]
    assert after["state"] == "ready"
    assert after["renditions"] == before["renditions"]
    assert decode(after["hls"]).frames == 6 * 30


def test_transcoding_to_a_directory_needs_no_database(
    academy: Installation, footage: Footage, tmp_path: Path
) -> None:
    result = academy.run("transcode", str(footage("lecture", duration=6)), str(tmp_path / "out"))
    told = summary(result.stdout)
    manifest = Path(told["hls"])
    if not manifest.is_absolute():
        manifest = tmp_path / "out" / manifest
    assert decode(str(manifest)).frames == 6 * 30


@pytest.mark.slow
def test_what_is_left_of_a_truncated_recording_plays_and_its_growing_playlist_ends(
    academy: Installation, footage: Footage
) -> None:
    result = academy.run(
        *("upload", str(footage("truncated_mkv", duration=12)), "--course", "journey"),
        *("--title", "Cut off", "--publish", "--wait"),
    )
    lecture_id = academy.uploaded(result)
    findings = academy.recording(lecture_id)["inspection"]["findings"]
    assert "truncated" in {finding["code"] for finding in findings}
    playback = academy.lecture(lecture_id)["playback"]
    assert 1 < playback["duration"] < 12
    seen = decode(playback["hls"])
    assert seen.end - seen.first == pytest.approx(playback["duration"], abs=0.05)
    rung = playback["renditions"][0]["id"]
    growing = httpx.get(playback["hls"].replace("/r1/main", f"/growing/{rung}"))
    assert growing.text.rstrip().endswith("#EXT-X-ENDLIST")


@pytest.mark.slow
def test_a_course_is_transcoded_again_with_another_profile_while_it_plays(
    academy: Installation, footage: Footage, tiny_file: str
) -> None:
    academy.add_course("again")
    others = academy.segments()
    lecture_id = academy.uploaded(
        academy.run(
            *("upload", str(footage("lecture", duration=6)), "--course", "again"),
            *("--title", "Again", "--publish", "--wait"),
        )
    )
    first = academy.segments() - others
    before = academy.lecture(lecture_id)["playback"]

    again = ("retranscode", "--course", "again", "--profile", tiny_file, "--wait")
    assert "1 succeeded" in academy.run(*again).stdout
    after = academy.lecture(lecture_id)["playback"]
    assert after["hls"] != before["hls"]
    assert {rung["height"] for rung in after["renditions"]} - {None} == {180, 90}
    assert decode(after["hls"]).frames == 6 * 30
    # Whoever watches has the addresses of before.
    assert decode(before["hls"]).frames == 6 * 30
    assert "0 of them not in it yet" in academy.run(*again).stdout

    academy.run("gc", "--delete", "--older-than", "0")
    assert not first & academy.segments()
    assert others <= academy.segments()
    assert decode(academy.lecture(lecture_id)["playback"]["hls"]).frames == 6 * 30
