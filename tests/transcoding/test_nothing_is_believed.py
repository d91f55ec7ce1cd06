"""ffmpeg ends with status 0 whatever it made: chunks are judged by what they hold.

Real encoder runs whose arguments were bent on the way, so that they succeed and make something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from academy.media import INIT
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import Bench, Benches
from transcoding import encode
from transcoding.commands import video_command
from transcoding.tasks import Outcome, Result, TaskKind

pytestmark = pytest.mark.real

Bend = Callable[[str], str]


@pytest.fixture
def bent(monkeypatch: pytest.MonkeyPatch, bench: Benches, footage: Footage) -> Any:
    """`bent(how)`: three segments of 30 frames, encoded with each argument changed by `how`."""

    def run(how: Bend) -> tuple[Bench, Result]:
        def command(*positional: Any, **named: Any) -> list[str]:
            asked = video_command(*positional, **named)
            changed = [asked[0], *map(how, asked[1:])]
            assert changed != asked
            return changed

        monkeypatch.setattr(encode, "video_command", command)
        made = bench(footage("lecture"))
        return made, made.run(TaskKind.VIDEO, 1, 3)

    return run


def numbers(made: Bench, track: str) -> list[int]:
    return sorted(
        r.number for r in made.journal.receipts() if r.track == track and r.number != INIT
    )


TWICE = "a frame is there twice"
"""It shows where frames are counted, at the end: nothing tells which one was too many."""
BENDS: dict[str, Bend] = {
    "a frame is missing in the middle": lambda word: word.replace(
        "setpts=PTS-STARTPTS", "select=not(eq(n\\,45)),setpts=PTS-STARTPTS"
    ),
    TWICE: lambda word: word.replace(
        "setpts=PTS-STARTPTS", "loop=loop=1:size=1:start=45,setpts=N/30/TB"
    ),
    "times run slower": lambda word: word.replace(
        "setpts=PTS-STARTPTS", "setpts=(PTS-STARTPTS)*1.02"
    ),
    "one rung lacks a frame": lambda word: re.sub(
        "(z?scale=160:90)", r"select=not(eq(n\\,40)),\1", word
    ),
    "keyframes come later": lambda word: "45" if word == "30" else word,
}


@pytest.mark.parametrize("name", BENDS)
def test_a_chunk_is_refused_where(name: str, bent: Any) -> None:
    made, result = bent(BENDS[name])
    assert (result.outcome, result.code) == (Outcome.FAILED, "wrong_frames"), result
    # What was right before stays, the same segments of both rungs; nothing from where it shows on.
    assert numbers(made, "v180") == numbers(made, "v90")
    assert set(numbers(made, "v180")) <= ({1, 2, 3} if name == TWICE else {1})


def test_more_than_was_asked_for_is_refused(bent: Any) -> None:
    _, result = bent(lambda word: word.replace("trim=end_frame=90", "trim=end_frame=135"))
    assert (result.outcome, result.code) == (Outcome.FAILED, "wrong_frames")


def test_less_than_was_asked_for_is_told_with_where_it_ends(bent: Any) -> None:
    made, result = bent(lambda word: word.replace("trim=end_frame=90", "trim=end_frame=70"))
    assert (result.outcome, result.segments) == (Outcome.SHORT, 2)
    assert result.ends_at == pytest.approx(1 + 70 / 30, abs=0.001)
    assert numbers(made, "v180") == [1, 2]


def test_nothing_at_all_is_no_success(bent: Any) -> None:
    made, result = bent(lambda word: word.replace("trim=end_frame=90", "trim=end_frame=0"))
    assert (result.outcome, result.segments) == (Outcome.SHORT, 0)
    assert made.journal.receipts() == []
