"""The MPD (ISO/IEC 23009-1): it says what the playlists say, on an exact timeline."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from mpegdash.parser import MPEGDASHParser

from academy.playlists import (
    contiguous,
    final_manifests,
)
from tests.academy.playlist_plans import RATES, a_plan, plans, receipts_of


def test_the_mpd_says_what_the_playlists_say():
    plan = a_plan(rate=RATES[2])
    text = final_manifests(plan, receipts_of(plan), language="zh").files["r1/main.mpd"]
    mpd = MPEGDASHParser.parse(text)
    assert mpd.type == "static"
    assert mpd.profiles == "urn:mpeg:dash:profile:isoff-live:2011"
    (period,) = mpd.periods
    video, audio = period.adaptation_sets
    assert (video.content_type, video.mime_type, video.frame_rate) == (
        "video",
        "video/mp4",
        "30000/1001",
    )
    assert (video.par, video.segment_alignment, video.start_with_sap) == ("16:9", True, 1)
    assert [r.id for r in video.representations] == ["v1080", "v720", "v360"]
    assert [(r.width, r.height) for r in video.representations] == [
        (1920, 1080),
        (1280, 720),
        (640, 360),
    ]
    assert audio.lang == "zh"
    (sound,) = audio.representations
    assert sound.codecs == "mp4a.40.2"
    assert str(sound.audio_sampling_rate) == "48000"
    assert sound.audio_channel_configurations[0].value == "2"
    template = video.representations[0].segment_templates[0]
    assert template.media == "../v1080/$Number$-1.m4s"
    assert template.initialization == "../v1080/init-1.mp4"
    assert (template.timescale, template.start_number) == (30000, 0)


def expanded(timeline) -> list[tuple[int, int]]:
    """(start, duration) of every segment of a SegmentTimeline, as ISO/IEC 23009-1 5.3.9.6 counts."""
    made: list[tuple[int, int]] = []
    for entry in timeline.Ss:
        start = entry.t if entry.t is not None else made[-1][0] + made[-1][1]
        for _ in range((entry.r or 0) + 1):
            made.append((start, entry.d))
            start += entry.d
    return made


@given(plans, st.booleans())
def test_the_mpds_timeline_is_exact_and_covers_the_presentation(plan, mixed):
    receipts = receipts_of(plan, attempt=lambda n: 1 + (n % 2 if mixed else 0))
    mpd = MPEGDASHParser.parse(final_manifests(plan, receipts).files["r1/main.mpd"])
    duration = Fraction(mpd.media_presentation_duration.removeprefix("PT").removesuffix("S"))
    assert 0 <= duration - plan.grid.duration < Fraction(1, 1_000_000)
    for adaptation in mpd.periods[0].adaptation_sets:
        for representation in adaptation.representations:
            information = (representation.segment_templates or representation.segment_lists)[0]
            assert expanded(information.segment_timelines[0]) == [
                (s.start_ticks, s.ticks) for s in contiguous(plan, representation.id, receipts)
            ]
