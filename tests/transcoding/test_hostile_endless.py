"""Files that promise to go on for ever: each has its code and sentence, or the few seconds that are really there.

No container of the allow-list can loop by itself; those that can are refused, and the limits end them all the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from academy.recordings import Inspection
from tests.fixtures_footage import Footage
from tests.transcoding.test_hostile_bombs import judged
from transcoding.binary import FFmpeg
from transcoding.ffmpeg import LimitExceeded, Limits, run
from transcoding.local import transcode_file

pytestmark = pytest.mark.real

CASES: list[tuple[str, dict[str, Any], set[str] | float]] = [
    # kind, its options, and the codes it may be refused with or the seconds that are there
    ("edited_for_ever", {}, 4),
    ("edited_for_ever", {"times": 100_000}, 4),
    ("samples_for_ever", {}, {"unreadable_media"}),
    ("run_for_ever", {}, {"unreadable_media"}),
    ("clock_goes_round", {}, {"joined"}),
    ("tags_go_round", {}, 4),
    ("sound_without_length", {}, 25),
    ("sound_without_length", {"length": 0}, 25),
    ("sound_without_length", {"rate": 1}, {"too_long"}),
    ("sound_of_ages", {}, 4),
    ("frames_promised", {}, 4),
    ("index_of_itself", {}, 4),
    ("frames_of_ages", {}, {"unreadable_media"}),
    ("chunks_without_end", {}, 4),
    ("eternal", {}, 4),
    ("eternal", {"seconds": 1e15}, 4),
    ("looping_gif", {}, {"not_media"}),
    ("looping_png", {}, {"not_media"}),
    ("tune_without_end", {}, {"unreadable_media"}),
]
LARGE: list[tuple[str, dict[str, Any], set[str] | float]] = [
    # These are stopped at the limit of CPU time, or come near it.
    ("edited_for_ever", {"times": 3_000_000}, {"unreadable_media", "too_long"}),
    ("sound_without_length", {"rate": 1, "size": 20_000_000}, {"unreadable_media", "too_long"}),
    ("boxes_for_ever", {}, {"unreadable_media", "truncated"}),
    ("nothing_for_ever", {}, 4),
    ("clock_goes_round", {"times": 300}, {"joined"}),
]


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        *(pytest.param(*case, id=f"{n}-{case[0]}") for n, case in enumerate(CASES)),
        *(pytest.param(*case, id=case[0], marks=pytest.mark.slow) for case in LARGE),
    ],
)
def test_what_promises_to_go_on_for_ever_is_refused_or_taken_for_what_is_there(
    kind: str, options: dict[str, Any], expected: set[str] | float, footage: Footage
) -> None:
    seen = judged(footage(kind, **options))
    if isinstance(seen, Inspection):
        assert isinstance(expected, float | int), "it was taken"
        assert seen.duration == pytest.approx(expected, abs=0.2)
    else:
        assert isinstance(expected, set), seen
        assert seen in expected


@pytest.mark.parametrize(
    "kind",
    [
        "edited_for_ever",
        pytest.param("tags_go_round", marks=pytest.mark.slow),
    ],
)
async def test_what_is_there_of_them_becomes_a_lecture_of_that_length(
    kind: str, footage: Footage, tiny_file: str, tmp_path: Path
) -> None:
    made = await transcode_file(footage(kind), tmp_path / "out", profile=tiny_file, workers=1)
    assert made["duration"] == pytest.approx(4, abs=0.2)
    assert sum(each.stat().st_size for each in tmp_path.rglob("*.m4s")) < 2_000_000


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(60, cpu_seconds=1), "cpu"),
        (Limits(60, output_bytes=1_000_000), "output"),
        (Limits(1), "wall"),
    ],
)
def test_a_file_that_does_loop_for_ever_is_ended_by_each_limit(
    limits: Limits, limit: str, footage: Footage, tmp_path: Path, ffmpeg: FFmpeg
) -> None:
    """Let loose: without the allow-list, and asked to heed what the file says of its loops."""
    loop = [ffmpeg.path, "-ignore_loop", "0", "-i", f"file:{footage('looping_gif')}"]
    with pytest.raises(LimitExceeded) as stopped:
        run([*loop, "-f", "rawvideo", str(tmp_path / "out.yuv")], limits=limits)
    assert stopped.value.limit == limit
    assert stopped.value.message.startswith("Encoding was stopped at its")
