"""What was taken in stays, whatever is killed in between. Last over the shared installation: one restarts it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.fixtures_footage import Footage
from tests.journeys.decoding import decode
from tests.journeys.installation import ACADEMY, Installation, wait_until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(300),
]


def padded(recording: Path, to: Path, megabytes: int) -> Path:
    """The same MP4 with a `free` box at its end: large, and quickly made."""
    content = recording.read_bytes()
    size = megabytes * 1024**2
    to.write_bytes(content + size.to_bytes(4, "big") + b"free")
    with to.open("r+b") as file:
        file.truncate(len(content) + size)
    return to


def test_an_interrupted_upload_resumes_the_same_lecture(
    academy: Installation, footage: Footage, tmp_path: Path
) -> None:
    large = padded(footage("lecture", duration=6), tmp_path / "large.mp4", 320)
    arguments = ["upload", str(large), "--course", "journey", "--title", "Large", "--publish"]
    first = subprocess.Popen(
        [*ACADEMY, *arguments],
        env=academy.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    wait_until(lambda: len(academy.parts_on_disk()) >= 3, "three parts have arrived")
    first.kill()
    first.wait()
    arrived = {path: path.stat().st_mtime_ns for path in academy.parts_on_disk()}
    assert 3 <= len(arrived) < 40

    lecture_id = academy.uploaded(academy.run(*arguments, "--wait", timeout=240))

    listed = academy.client.get("/v1/courses/journey", params={"lang": "zh"}).json()
    found = [lecture for section in listed["sections"] for lecture in section["lectures"]]
    assert [lecture["id"] for lecture in found if lecture["title"] == "Large"] == [lecture_id]
    assert decode(academy.lecture(lecture_id)["playback"]["hls"]).frames == 6 * 30


def test_a_killed_transcoder_goes_on_without_encoding_finished_segments_again(
    academy: Installation, footage: Footage
) -> None:
    # Half the usual frames: enough work to be killed in, and quickly done twice.
    recording = footage("lecture", duration=40, size="640x360", rate="15")
    others = academy.segments()
    lecture_id = academy.uploaded(
        academy.run(
            "upload", str(recording), *["--course", "journey", "--title", "Killed", "--publish"]
        )
    )

    def stored() -> set[str]:
        return academy.segments() - others

    wait_until(lambda: len(stored()) >= 5, "five segments are stored", also=academy.log)
    victim = academy.child("transcoder")
    victim.send_signal(signal.SIGKILL)
    victim.wait(30)
    kept = stored()
    assert academy.recording(lecture_id)["state"] == "running"

    academy.settled(lecture_id, "succeeded")

    playback = academy.lecture(lecture_id)["playback"]
    assert decode(playback["hls"]).frames == 40 * 15
    segments = stored()
    assert kept <= segments
    again = [names for names in by_number(segments).values() if len(names) > 1]
    # Only what was stored but not yet recorded when the transcoder died may exist twice.
    assert len(again) <= 2 * len(playback["renditions"])


def by_number(segments: set[str]) -> dict[str, list[str]]:
    """Segment objects by track and number, whichever attempt made them."""
    found: dict[str, list[str]] = {}
    for name in segments:
        found.setdefault(name.rsplit("-", 1)[0], []).append(name)
    return found


def test_everything_is_there_after_a_restart(academy: Installation, footage: Footage) -> None:
    lecture_id = academy.uploaded(
        academy.run(
            *("upload", str(footage("lecture", duration=6)), "--course", "journey"),
            *("--title", "Kept", "--publish", "--wait"),
        )
    )
    before = academy.lecture(lecture_id)
    assert academy.process is not None
    children = psutil.Process(academy.process.pid).children(recursive=True)
    assert children
    assert academy.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []

    academy.start()

    after = academy.lecture(lecture_id)
    assert after["playback"]["renditions"] == before["playback"]["renditions"]
    assert decode(after["playback"]["hls"]).frames == 6 * 30
