"""Findings in the words of three languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from academy.findings import SENTENCES, in_language, info, sentence, spoken, warning
from academy.recordings import Finding, Severity


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", SENTENCES)
def test_every_finding_is_a_sentence_in_three_languages_with_the_same_values(code: str) -> None:
    texts = SENTENCES[code]
    assert set(texts) == {"en", "zh", "fr"}
    assert len({frozenset(names(text)) for text in texts.values()}) == 1
    assert texts["en"].endswith(".")
    assert texts["fr"].endswith(".")
    assert texts["zh"].endswith("。")
    assert re.search(r"[\u4e00-\u9fff]", texts["zh"])


def test_readers_get_their_language_with_times_and_numbers_as_it_writes_them() -> None:
    finding = warning("truncated", of=5520.0, there=244.6)
    assert "of 1 h 32 min only the first 4 min 5 s" in sentence(finding, ["de"])
    assert "全长1小时32分，只有前4分5秒" in sentence(finding, ["zh-CN", "en"])
    varied = info("variable_frame_rate", rate=29.97003)
    assert "29.97 frames" in varied.message
    assert "29,97 images" in sentence(varied, ["fr"])
    (told,) = in_language([varied], ["zh"])
    assert (told.code, told.severity, told.values) == (varied.code, Severity.INFO, varied.values)
    assert "每秒 29.97 帧" in told.message


def test_what_was_stored_otherwise_is_told_as_it_was_stored() -> None:
    old = Finding(code="no_longer_known", severity=Severity.INFO, message="As it was.")
    assert sentence(old, ["zh"]) == "As it was."
    without = Finding(code="truncated", severity=Severity.WARNING, message="It breaks off.")
    assert sentence(without, ["zh"]) == "It breaks off."


def test_seconds_as_people_say_them() -> None:
    assert [spoken(at) for at in (3.61, 61, 3600)] == ["3.61 s", "1 min 1 s", "1 h 0 min"]
    assert spoken(3.61, "fr") == "3,61 s"
    assert spoken(61, "zh") == "1分1秒"
