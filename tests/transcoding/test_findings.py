"""Everything an instructor is to be told about a recording, each found in a file that has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from academy.findings import SENTENCES
from academy.recordings import Finding, Severity
from tests.footage import AAC, H264, ffmpeg
from tests.odd_recordings import ODD
from transcoding import binary, profiles
from transcoding.directory import SOURCE_KEY, DirectoryStore
from transcoding.findings import with_measured
from transcoding.planning import Planner, inspected
from transcoding.sound_defects import drop_outs, is_clipped

SMALL = "testsrc2=s=1280x720:r=5:d={seconds}"
SPEECH = "0.25*sin(2*PI*300*t)*(0.6+0.4*sin(2*PI*3*t))+0.01*(random(0)-0.5)"
"""Syllables, and a room that makes a little noise."""

Maker = Callable[[Path], object]


def heard(expression: str = SPEECH, *, seconds: float = 4, filters: str = "anull") -> Maker:
    """Pictures of four seconds with this sound."""

    def make(path: Path) -> None:
        picture = ["-f", "lavfi", "-i", SMALL.format(seconds=4)]
        sound = ["-f", "lavfi", "-i", f"aevalsrc='{expression}':s=48000:d={seconds}"]
        ffmpeg(*picture, *sound, *H264, "-af", filters, *AAC, path)

    return make


def slides(path: Path) -> None:
    """A page of text, 854x480, for three seconds."""
    page = Image.new("RGB", (854, 480), "white")
    pen = ImageDraw.Draw(page)
    for line in range(40):
        pen.text(
            (20, 5 + 12 * line), f"{line}: the lease of a queue's shard is a token " * 2, "black"
        )
    still = path.with_suffix(".png")
    page.save(still)
    ffmpeg("-loop", "1", "-framerate", "10", "-t", "3", "-i", still, *H264, path)


def odd(name: str) -> Maker:
    return lambda path: ODD[name].make(path, ODD[name].beacon)


LIST: dict[str, tuple[str, Severity, Maker, str]] = {
    "no sound": ("no_audio", Severity.WARNING, odd("no sound"), ".mp4"),
    "nothing to be heard": ("silent", Severity.WARNING, odd("silence"), ".mp4"),
    "very quiet": ("quiet", Severity.WARNING, heard(f"0.01*({SPEECH})"), ".mp4"),
    "clipped": ("clipped", Severity.WARNING, heard(f"clip(12*({SPEECH})\\,-1\\,1)"), ".mp4"),
    "on the left only": ("one_sided_left", Severity.WARNING, odd("one-sided"), ".mp4"),
    "on the right only": (
        "one_sided_right",
        Severity.WARNING,
        heard(filters="pan=stereo|c0=0*c0|c1=c0"),
        ".mp4",
    ),
    "drop-outs": (
        "drop_outs",
        Severity.WARNING,
        heard(filters="aselect='not(between(t,1.5,2.6))'"),
        ".mkv",
    ),
    "much longer sound": ("sound_outlasts_picture", Severity.WARNING, heard(seconds=10), ".mp4"),
    "several audio tracks": (
        "several_audio_tracks",
        Severity.INFO,
        odd("eight mono tracks"),
        ".mp4",
    ),
    "variable frame rate": ("variable_frame_rate", Severity.INFO, odd("variable"), ".mp4"),
    "rotated": ("rotated", Severity.INFO, odd("turned"), ".mp4"),
    "interlaced": ("interlaced", Severity.INFO, odd("interlaced"), ".mp4"),
    "HDR": ("hdr", Severity.INFO, odd("hdr10"), ".mp4"),
    "odd size": ("odd_size", Severity.INFO, odd("odd_size"), ".mp4"),
    "low resolution for slides": ("low_resolution", Severity.WARNING, slides, ".mp4"),
    "truncated": ("truncated", Severity.WARNING, odd("truncated"), ".mp4"),
}


async def told(path: Path, encoder: binary.FFmpeg) -> list[Finding]:
    """As the pipeline tells it once a recording is planned."""
    store = DirectoryStore(path.parent, path)
    inspection = await inspected(store, SOURCE_KEY, path.name)
    plan = await Planner(store, SOURCE_KEY, encoder).plan(inspection, profiles.load())
    explained = inspection.model_copy(update={"explanation": plan.explanation})
    return with_measured(explained, plan).findings


@pytest.mark.parametrize("name", LIST)
async def test_what_is_wrong_with_a_recording_is_told(
    name: str, tmp_path: Path, ffmpeg: binary.FFmpeg
) -> None:
    code, severity, make, suffix = LIST[name]
    path = tmp_path / f"lecture{suffix}"
    make(path)
    found = {finding.code: finding.severity for finding in await told(path, ffmpeg)}
    assert found.get(code) is severity
    assert set(SENTENCES[code]) == {"zh", "en", "fr"}
    assert set(found) <= {code, "low_resolution", "no_audio"}


async def test_nothing_is_said_of_an_ordinary_recording(
    tmp_path: Path, ffmpeg: binary.FFmpeg
) -> None:
    path = tmp_path / "lecture.mp4"
    heard()(path)
    assert await told(path, ffmpeg) == []


async def test_a_hole_is_told_with_its_time(tmp_path: Path, ffmpeg: binary.FFmpeg) -> None:
    path = tmp_path / "lecture.mkv"
    heard(filters="aselect='not(between(t,1.5,2.6))'")(path)
    (finding,) = await told(path, ffmpeg)
    assert finding.values["count"] == 1
    assert float(finding.values["at"]) == pytest.approx(1.5, abs=0.1)


def place(
    momentary: list[float], *, tops: float = 0.5, gaps: tuple[float, ...] = ()
) -> dict[str, list[float]]:
    return {"momentary": momentary, "tops": [tops] * len(momentary), "gaps": list(gaps)}


def test_long_silence_is_a_drop_out_only_between_sounds() -> None:
    speech, nothing = [-25.0] * 20, [-120.0] * 60
    assert drop_outs([place(speech + nothing + speech)], [10.0]) == [12.0]
    assert drop_outs([place(nothing + speech), place(speech + nothing)], [0.0, 60.0]) == []
    assert drop_outs([place(speech), place(nothing), place(speech)], [0.0, 60.0, 120.0]) == [60.0]
    assert drop_outs([place(speech + nothing[:40] + speech)], [0.0]) == []
    assert drop_outs([place(speech, gaps=(1.2,))], [30.0]) == [31.2]


def test_a_few_full_moments_are_not_clipped() -> None:
    assert not is_clipped([place([-20.0] * 100), place([-20.0] * 5, tops=1.0)])
    assert is_clipped([place([-20.0] * 80), place([-20.0] * 20, tops=1.0)])
    assert not is_clipped([place([-120.0] * 100, tops=1.0)])
