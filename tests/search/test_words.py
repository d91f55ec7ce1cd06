"""Folding, words, queries and highlights: pure functions of text."""

from __future__ import annotations

from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.search.entries import popularity, vocabulary
from academy.search.folding import fold, folded
from academy.search.highlights import AROUND, Highlighter
from academy.search.query import LONGEST_QUERY, MOST_WORDS, parse
from academy.search.words import words_of

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("云计算實時熵數據的Sparkdonnées <>&'\"\u0301"),
    ),
    max_size=120,
)
LANGUAGES = st.sampled_from(["zh", "en", "fr", "zh-Hant"])


def terms(text: str, language: str = "zh") -> set[str]:
    return {term for word in words_of(fold(text), text, language) for term in word.terms}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Réseaux", "reseaux"),
        ("Ｓｐａｒｋ　３", "spark 3"),
        ("實時計算", "实时计算"),
        ("頭髮與發展", "头发与发展"),
        ("e\u0301t\u00e9", "ete"),
        ("STRASSE straße", "strasse strasse"),
    ],
)
def test_text_is_compared_without_case_accents_width_and_script(text: str, result: str) -> None:
    assert folded(text) == result


@given(TEXTS)
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    made = fold(text)
    assert len(made.origins) == len(made.text) + 1
    assert list(made.origins) == sorted(made.origins)
    assert made.origins[-1] == len(text)


def test_chinese_text_has_its_words_the_words_within_them_and_its_characters() -> None:
    found = terms("大数据处理与熵")
    assert {"大数据", "数据处理", "数据", "处理", "熵", "大", "理"} <= found


def test_a_short_word_that_only_seems_to_stand_there_is_none() -> None:
    found = terms("南京市长江大桥")
    assert {"南京市", "长江大桥", "长江"} <= found
    assert "市长" not in found


def test_french_plurals_accents_and_their_absence_meet() -> None:
    for query in ("données", "donnees", "donnée", "DONNÉES"):
        (word,) = parse(query).words
        assert not word.terms.isdisjoint(terms("les données massives", "fr")), query


def test_english_words_meet_in_their_stem() -> None:
    for query in ("schedules", "Scheduling", "scheduled"):
        (word,) = parse(query).words
        assert not word.terms.isdisjoint(terms("How we schedule work", "en")), query


def test_programming_languages_keep_their_signs() -> None:
    assert "e:c++" in terms("C++ and C#", "en")
    assert "e:c#" in terms("C++ and C#", "en")
    assert terms("C", "en").isdisjoint(terms("C++", "en"))


def test_words_that_say_nothing_are_left_out_while_there_are_others() -> None:
    assert [word.surface for word in parse("the theory of queues").words] == ["theory", "queues"]
    assert [word.surface for word in parse("什么是熵").words] == ["熵"]
    assert [word.surface for word in parse("the").words] == ["the"]


def test_only_a_last_word_without_a_space_behind_it_may_go_on() -> None:
    assert parse("cloud comp").typing == "comp"
    assert parse("cloud comp ").typing is None
    assert parse("cloud 云计").typing is None, "Chinese needs none: every character is a term"


def test_a_mixed_query_has_words_of_both_languages() -> None:
    surfaces = [word.surface for word in parse("Spark 实时计算").words]
    assert surfaces == ["spark", "实时计算"]


def test_a_name_that_no_dictionary_knows_is_looked_for_as_written() -> None:
    assert parse("林若谷").phrases == ("林若谷",)


def test_signs_alone_ask_for_nothing() -> None:
    assert parse("?!  … ()").words == ()


@given(TEXTS)
def test_any_query_becomes_a_bounded_number_of_words(text: str) -> None:
    query = parse(text * 5)
    assert len(query.words) <= MOST_WORDS
    assert len(query.phrases) <= MOST_WORDS
    assert all(word.terms for word in query.words)
    assert all(len(word.surface) <= LONGEST_QUERY for word in query.words)


@given(TEXTS, TEXTS, LANGUAGES)
def test_a_highlight_is_the_text_escaped_with_marks_and_nothing_else(
    query: str, text: str, language: str
) -> None:
    marked = Highlighter(parse(query)).whole(text, language)
    if marked is not None:
        bare = marked.replace("<mark>", "").replace("</mark>", "")
        assert bare == escape(text)
        assert marked.count("<mark>") == marked.count("</mark>") > 0


@given(TEXTS, LANGUAGES)
def test_what_is_indexed_of_a_text_finds_every_chinese_character_in_it(
    text: str, language: str
) -> None:
    made = vocabulary([(language, text)])
    for word in words_of(fold(text), text, language):
        assert word.terms <= made.terms


def test_a_long_text_is_shown_around_the_first_match() -> None:
    text = "Nothing here yet. " * 30 + "Then Spark & friends appear. " + "And so on. " * 30
    marked = Highlighter(parse("spark ")).excerpt(text, "en")
    assert marked is not None
    assert marked.startswith("…")
    assert marked.endswith("…")
    assert "<mark>Spark</mark> &amp; friends" in marked
    assert len(unescape(marked)) < AROUND + 20


def test_words_being_typed_are_marked_whole() -> None:
    marked = Highlighter(parse("comp")).whole("Computing composers & <b>", "en")
    assert marked == "<mark>Computing</mark> <mark>composers</mark> &amp; &lt;b&gt;"


def test_what_is_written_in_traditional_characters_is_marked_as_written() -> None:
    assert Highlighter(parse("实时计算")).whole("流式實時計算", "zh") == "流式<mark>實時計算</mark>"


@given(st.integers(0, 10**9))
def test_popularity_grows_with_views(views: int) -> None:
    assert popularity(views) <= popularity(views + 1) <= popularity(2 * views + 2)
