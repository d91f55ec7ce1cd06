"""Languages: whatever is wished and whatever there is, a reader gets a text that exists, the best one first,
and every short cut on the way (canonical wishes, remembered choices) gives what the long way gives.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from academy.localised import choose, merged, wanted_languages
from api.languages import MOST, Languages, told_apart, wishes

TAGS = (
    "zh",
    "zh-Hant",
    "zh-Hans",
    "zh-CN",
    "en",
    "en-GB",
    "en-US",
    "fr",
    "fr-CA",
    "de",
    "it",
    "es",
)
tags = st.sampled_from(TAGS)
texts = st.lists(tags, min_size=1, unique=True).map(lambda each: {tag: f"in {tag}" for tag in each})
wanted = st.lists(tags | tags.map(str.lower) | tags.map(str.upper), max_size=8)
ranked = st.lists(st.tuples(tags | st.just("*"), st.integers(0, 10)), max_size=8)


def primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


@given(texts, wanted, tags)
def test_a_reader_always_gets_a_text_and_its_language(text, wishing, fallback):
    language, found = choose(text, wishing, fallback)
    assert text[language] == found
    there = {primary(tag) for tag in text}
    met = [primary(tag) for tag in [*wishing, fallback] if primary(tag) in there]
    # The first wish that can be met at all is met; a text in no such language is better than none.
    assert not met or primary(language) == met[0]


@given(texts, wanted, tags)
def test_what_is_there_as_wished_is_what_one_gets(text, wishing, fallback):
    if wishing and wishing[0] in text:
        assert choose(text, wishing, fallback)[0] == wishing[0]


@given(texts, wanted, tags)
def test_canonical_wishes_choose_what_the_wishes_choose(text, wishing, fallback):
    """Or a cache would give one reader what is meant for another."""
    few = told_apart(wishing)
    assert len(few) <= MOST
    if len({primary(tag) for tag in wishing}) <= MOST:
        assert choose(text, few, fallback) == choose(text, wishing, fallback)
    assert told_apart(few) == few


@given(st.lists(texts, min_size=1, max_size=5), wanted, tags)
def test_an_answers_texts_are_chosen_one_by_one(several, wishing, fallback):
    languages = Languages.asked(",".join(wishing) or None, None)
    for text in several:
        language, found = choose(text, told_apart(wishing), fallback)
        assert languages.text(text, fallback) == found
        assert languages.heading(text, fallback) == found
        assert language in languages.used
    assert len(languages.used) == len(set(languages.used))


@given(ranked)
def test_a_header_is_read_best_first(items):
    header = ", ".join(f"{tag};q={quality / 10}" for tag, quality in items)
    kept = [(tag, quality) for tag, quality in items if quality and tag != "*"]
    best = [tag for tag, _ in sorted(kept, key=lambda each: -each[1])]
    assert wanted_languages(header) == best
    assert wishes(header) == told_apart(best)


@given(st.text(max_size=300))
def test_any_header_means_something(header):
    found = wishes(header)
    assert len(found) <= MOST
    assert choose({"zh": "有"}, found, "en") == ("zh", "有")
    # As it stands in a cache's key it means the same again.
    assert wishes(", ".join(found)) == found


@given(texts, st.dictionaries(tags, st.none() | st.sampled_from(["new", "newer"])), tags)
def test_a_patch_merges_as_rfc_7396_says(stored, patch, own):
    after = merged(stored, patch, own)
    for tag in {*stored, *patch}:
        assert after.get(tag) == (patch[tag] if tag in patch else stored[tag])
    assert merged(after, patch, own) == after
    assert merged(stored, "plain", own) == {**stored, own: "plain"}
