"""Why a recording failed, in the words of three languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import transcoding.dispatcher
from academy.errors import RejectedMedia, Unavailable
from academy.failures import SENTENCES, sentence
from academy.jobs import Failure
from transcoding.ffmpeg import EncodingFailed
from transcoding.shift import failure_of

SOURCES = sorted(Path(transcoding.dispatcher.__file__).parent.glob("*.py"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def kinds(of: type[Exception]) -> set[type[Exception]]:
    return {of}.union(*(kinds(each) for each in of.__subclasses__()))


def codes() -> set[str]:
    """Everything a job can fail with."""
    texts = [path.read_text("utf-8") for path in SOURCES]
    refusals = {
        code
        for text in texts
        for call in re.findall(r"RejectedMedia\((.*?)\n\s*\)", text, re.DOTALL)
        for code in re.findall(r'code="(\w+)"', call)
    }
    raised = {
        str(each.code)  # type: ignore[attr-defined]
        for kind in (RejectedMedia, EncodingFailed, Unavailable)
        for each in kinds(kind)
        if each.__module__.startswith(("academy", "transcoding"))
    }
    return refusals | raised | {"internal_error", "abandoned"}


def test_every_failure_there_can_be_is_told_in_chinese_and_french() -> None:
    found = codes()
    assert {"not_media", "too_short", "poison", "engine_lost"} <= found
    assert found - set(SENTENCES) == set()


@pytest.mark.parametrize("code", SENTENCES)
def test_every_failure_is_a_whole_sentence(code: str) -> None:
    texts = SENTENCES[code]
    assert {"zh", "fr"} <= set(texts) <= {"zh", "fr", "en"}
    assert texts["zh"].endswith("。")
    assert CHINESE.search(texts["zh"])
    assert texts["fr"].endswith((".", "?"))


def test_the_reader_gets_their_language_and_english_names_the_file() -> None:
    failure = Failure(code="no_streams", message="“a.mp4” holds neither picture nor sound.")
    assert sentence(failure, ["de", "fr-FR"]).startswith("Le fichier ne contient ni image")
    assert sentence(failure, ["zh-CN"]).startswith("文件里既没有画面")
    assert sentence(failure, ["en", "zh"]) == failure.message
    assert sentence(failure) == failure.message


def test_what_ffmpeg_said_is_not_told_to_instructors() -> None:
    failure = failure_of(EncodingFailed("ffmpeg ended with status 1: Conversion failed!"))
    assert "ffmpeg" not in sentence(failure, ["en"])
    assert "ffmpeg" not in sentence(failure, ["ko"])


def test_a_code_that_has_no_other_words_is_told_as_it_was_stored() -> None:
    failure = Failure(code="no_longer_known", message="As it was.")
    assert sentence(failure, ["zh"]) == "As it was."
