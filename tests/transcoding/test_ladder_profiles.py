from __future__ import annotations

from pathlib import Path

import pytest

from academy.errors import SettingsError
from transcoding.profiles import load, parse

RUNG = "{size: 360, crf: 23, max_rate: 900000, buffer: 1800000, preset: faster, level: '3.0'}"


def refusal(text: str, name: str | None = "mine") -> str:
    with pytest.raises(SettingsError) as refused:
        parse(text, name, origin="mine.yaml")
    return refused.value.message


def test_the_default_ladder_is_1080_720_360() -> None:
    profile = load()
    assert [rung.size for rung in profile.video] == [1080, 720, 360]
    assert profile.segment_seconds == 4
    assert (profile.audio.stereo, profile.audio.mono, profile.audio.loudness) == (96000, 64000, -16)


def test_rungs_are_sorted_from_large_to_small() -> None:
    large = RUNG.replace("360", "720", 1)
    profile = parse(f"mine:\n  video: [{RUNG}, {large}]", "mine", origin="mine.yaml")
    assert [rung.size for rung in profile.video] == [720, 360]


def test_a_file_may_stand_for_its_first_profile_or_name_one(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"first: {{video: [{RUNG}]}}\nsecond: {{video: [{RUNG}]}}\n")
    assert load(str(path)).name == "first"
    assert load(f"{path}:second").name == "second"


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no profile 'best'; it has: av1, default, fast"):
        load("best")


def test_a_missing_file_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match=r"missing\.yaml cannot be read"):
        load("missing.yaml")


def test_wrong_values_say_where_they_stand() -> None:
    wrong = RUNG.replace("crf: 23", "crf: 99")
    assert refusal(f"mine: {{video: [{wrong}]}}").startswith(
        "mine.yaml, line 1: mine.video.0.crf: "
    )
    assert "mine.video: " in refusal("mine: {video: []}")
    assert "two rungs have the same size" in refusal(f"mine: {{video: [{RUNG}, {RUNG}]}}")
    odd = RUNG.replace("size: 360", "size: 361")
    assert "multiple of 2" in refusal(f"mine: {{video: [{odd}]}}")


MANY_MISTAKES = """
# Ours.
other: {video: []}
mine:
  segment_seconds: 40
  speed: 3
  video:
    - {size: 360, crf: 23, buffer: 1800000, preset: faster}
    - size: 180
      crf: 23
      max_rate: 900000
      buffer: 1800000
      preset: fastest
      drawn:
        sharper: yes
        parameters: a b
"""


def test_every_mistake_is_named_with_its_line_in_the_order_of_the_file() -> None:
    told = refusal(MANY_MISTAKES).splitlines()
    assert [line.split(": ")[:2] for line in told] == [
        ["mine.yaml, line 5", "mine.segment_seconds"],
        ["mine.yaml, line 6", "mine.speed"],
        ["mine.yaml, line 8", "mine.video.0.max_rate"],
        ["mine.yaml, line 13", "mine.video.1.preset"],
        ["mine.yaml, line 15", "mine.video.1.drawn.sharper"],
        ["mine.yaml, line 16", "mine.video.1.drawn.parameters"],
    ]
    assert told[1].endswith("there are: audio, frame_rate, sampling, segment_seconds, video.")
    assert told[2].endswith("this setting is missing.")
    assert told[4].endswith("there are: crf, only_above, parameters, preset.")
    assert "name=value" in told[5]


def test_a_preset_belongs_to_its_encoder() -> None:
    numbered = RUNG.replace("faster", "8")
    named = RUNG.replace("{", "{codec: av1, ", 1)
    assert "preset 8 is not h264's" in refusal(f"mine: {{video: [{numbered}]}}")
    assert "preset 'faster' is not av1's" in refusal(f"mine: {{video: [{RUNG}, {named}]}}")
    mixed = RUNG.replace("}", ", drawn: {preset: 8}}")
    assert "preset 8 is not h264's" in refusal(f"mine: {{video: [{mixed}]}}")


def test_a_ladder_that_not_everybody_can_play_is_refused() -> None:
    av1 = RUNG.replace("{", "{codec: av1, ", 1).replace("faster", "8")
    assert "one rung at least must be h264" in refusal(f"mine: {{video: [{av1}]}}")
    profile = parse(f"mine: {{video: [{av1}, {RUNG}]}}", "mine", origin="mine.yaml")
    assert [rung.codec for rung in profile.video] == ["h264", "av1"]


def test_the_av1_profile_is_the_default_and_more() -> None:
    default, more = load(), load("av1")
    assert more.video[: len(default.video)] == default.video
    assert {rung.codec for rung in more.video[len(default.video) :]} == {"av1"}


def test_without_av1_a_profile_is_what_it_was_before() -> None:
    assert load("av1").without_av1.video == load().video
    assert load().without_av1 == load()


def test_what_is_not_a_profile_at_all_is_refused() -> None:
    assert "is not YAML" in refusal("mine: [")
    assert "must map profile names" in refusal("- 1")
    assert "must be a mapping" in refusal("mine: 3")
