"""Caption files as people have them, and what becomes of their cues."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.caption_files import MOST_BYTES, read_captions
from academy.captions import CaptionCue, cue_text, normalised, plain, searchable, webvtt
from academy.errors import Invalid

CHINESE = "大家好，欢迎来到云计算课程，今天我们讲实时计算和数据仓库。"
FRENCH = "Voilà l'été, où les élèves étudient à l'école. Ça va ? Bien sûr, très bien, déjà prêt."


def srt(*texts: str, first: int = 1) -> str:
    return "\r\n".join(
        f"{number}\r\n00:00:{number:02},000 --> 00:00:{number:02},900\r\n{text}\r\n"
        for number, text in enumerate(texts, first)
    )


def read(text: str, **options: object) -> list[tuple[int, int, str]]:
    cues, _ = normalised(read_captions(text.encode()), **options)  # type: ignore[arg-type]
    return [(cue.start, cue.end, cue.text) for cue in cues]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_chinese_is_read_in_whatever_encoding(encoding: str) -> None:
    assert read_captions(srt(CHINESE).encode(encoding))[0].text == CHINESE


def test_traditional_chinese_is_read_in_big5() -> None:
    text = "大家好，歡迎來到雲端運算課程，今天我們講即時計算和資料倉儲，請先看第一張投影片。"
    assert read_captions(srt(text).encode("big5"))[0].text == text


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15", "utf-8"])
def test_french_is_read_in_whatever_encoding(encoding: str) -> None:
    assert read_captions(srt(FRENCH).encode(encoding))[0].text == FRENCH


def test_webvtt_is_read_with_its_notes_styles_settings_and_identifiers() -> None:
    assert read(
        "WEBVTT - lecture\nKind: captions\n\nNOTE\na comment --> that is none\n\n"
        "STYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.500 line:0 position:20%\n"
        "<v Fred>Hi, <b>all</b></v> &amp; <c.loud>sundry</c>\n\n1:00:00.000 --> 1:00:01.000\nEnd\n"
    ) == [(1000, 2500, "Hi, <b>all</b> &amp; sundry"), (3_600_000, 3_601_000, "End")]


def test_subrip_is_read_without_blank_lines_and_with_positions_of_other_formats() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}One\n2\n00:00:02,000 --> 00:00:03,000\nTwo 2\n42\n"
    assert read(text) == [(1000, 2000, "One"), (2000, 3000, "Two 2\n42")]


def test_nothing_in_a_cue_can_become_markup() -> None:
    hostile = '<script>alert(1)</script> <b onclick="x">a</b> 1 < 2 <img src=x> & --&gt;'
    text = cue_text(hostile)
    assert text == "alert(1) <b>a</b> 1 &lt; 2  &amp; --&gt;"
    assert plain(text) == "alert(1) a 1 < 2 & -->"


def test_cues_come_in_order_without_overlaps_and_the_report_says_so() -> None:
    given_cues = [
        CaptionCue(start=5000, end=9000, text="third"),
        CaptionCue(start=1000, end=4000, text="first"),
        CaptionCue(start=2000, end=6000, text="second"),
        CaptionCue(start=2010, end=3000, text="at once"),
        CaptionCue(start=5000, end=9000, text="third"),
        CaptionCue(start=7000, end=7000, text="no time"),
        CaptionCue(start=8000, end=8500, text="<b> </b>"),
        CaptionCue(start=90_000, end=91_000, text="late"),
    ]
    cues, changes = normalised(given_cues, duration=60.0)
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (1000, 2000, "first"),
        (2000, 5000, "second\nat once"),
        (5000, 9000, "third"),
    ]
    assert changes == {"reordered": 4, "overlapping": 3, "repeated": 1, "empty": 2, "after_end": 1}


def test_what_is_searched_are_words_and_seconds() -> None:
    cues, _ = normalised([CaptionCue(start=1500, end=2500, text="<i>a</i>\n&amp; b")])
    assert [(cue.start, cue.end, cue.text) for cue in searchable(cues)] == [(1.5, 2.5, "a & b")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no cue"),
        (b"just a text", "no cue"),
        (b"WEBVTT\n\n00:00:01 --> 00:00:02\nx\n", "Line 3 is no timing"),
        (b"1\n00:61:00,000 --> 00:62:00,000\nx\n", "Line 2 has a time with more than 59"),
        (b"\xff\xfea", "UTF-16"),
        (b"x" * (MOST_BYTES + 1), "at most"),
    ],
)
def test_what_is_no_caption_file_is_refused_with_its_line(data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        read_captions(data)
    assert refused.value.code == "bad_captions"


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20
)
CUES = st.lists(
    st.builds(
        CaptionCue,
        start=st.integers(0, 100_000),
        end=st.integers(0, 120_000),
        text=TEXTS.map(cue_text),
    ),
    max_size=30,
)


@given(CUES)
def test_what_was_normalised_stays_as_it_is_when_written_and_read_again(
    cues: list[CaptionCue],
) -> None:
    clean, _ = normalised(cues)
    for before, after in itertools.pairwise(clean):
        assert before.start < before.end <= after.start
    if clean:
        again, changes = normalised(read_captions(webvtt(clean).encode()))
        assert (again, changes) == (clean, {})


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cues = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\n" + data)
    except Invalid:
        return
    assert all("<script" not in cue.text for cue in cues)
