import itertools
from fractions import Fraction
from math import floor

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpegdash.parser import MPEGDASHParser

from academy.errors import Conflict, NotFound
from academy.media import (
    INIT,
    UNIT_SAMPLES,
    AudioRendition,
    Chunk,
    Grid,
    MediaPlan,
    Receipt,
    VideoRendition,
)
from academy.playlists import (
    contiguous,
    final_manifests,
    media_playlist,
    multivariant,
    target_duration,
    track_rendition,
)
from academy.recordings import Ratio

RATES = [
    Ratio(num=n, den=d)
    for n, d in [(30, 1), (25, 1), (30000, 1001), (24000, 1001), (60, 1), (5, 1), (15, 1)]
]


def a_rung(height: int) -> VideoRendition:
    return VideoRendition(
        id=f"v{height}",
        width=height * 16 // 9,
        height=height,
        preset="faster",
        crf=23,
        max_rate=height * 4000,
        buffer=height * 8000,
        profile="high",
        level={1080: "4.0", 720: "3.1"}.get(height, "3.0"),
    )


def a_plan(rate=RATES[0], frames=1000, heights=(1080, 720, 360), audio=True) -> MediaPlan:
    grid = Grid(frame_rate=rate, segment_frames=max(1, round(4 * rate.fraction)), frames=frames)
    return MediaPlan(
        grid=grid,
        video=[a_rung(height) for height in heights],
        audio=AudioRendition(id="a96", channels=2, bit_rate=96_000) if audio else None,
        chunks=[Chunk(index=0, first_segment=0, segments=grid.segment_count)],
        encoder="test",
    )


def receipts_of(
    plan: MediaPlan,
    *,
    segments: int | None = None,
    size=lambda track, n: 100_000,
    attempt=lambda n: 1,
):
    grid = plan.grid
    made = []
    for track in plan.tracks:
        audio = plan.audio is not None and track == plan.audio.id
        made.append(
            Receipt(
                track=track,
                number=INIT,
                name=f"{track}/init-1.mp4",
                bytes=800,
                codecs="mp4a.40.2" if audio else "avc1.640028",
            )
        )
        for n in range(grid.segment_count if segments is None else segments):
            unit = UNIT_SAMPLES if audio else grid.frame_ticks
            first, units = (
                (grid.first_unit(n), grid.units_in(n))
                if audio
                else (grid.first_frame(n), grid.frames_in(n))
            )
            made.append(
                Receipt(
                    track=track,
                    number=n,
                    name=f"{track}/{n}-{attempt(n)}.m4s",
                    bytes=size(track, n),
                    start=first * unit,
                    duration=units * unit,
                    units=units,
                )
            )
    return made


plans = st.builds(
    a_plan,
    rate=st.sampled_from(RATES),
    frames=st.integers(1, 5000),
    heights=st.sampled_from([(1080, 720, 360), (360,), ()]),
    audio=st.just(True),
)


def the_playlist(plan, track, receipts, *, final=True):
    return media_playlist(plan, track, receipts, uri=lambda name: f"../{name}", final=final)


def test_a_multivariant_playlist_offers_every_rung_with_the_shared_audio_group():
    plan = a_plan()
    text = multivariant(plan, receipts_of(plan), uri=str, final=True, language="zh")
    parsed = m3u8.loads(text)
    assert parsed.is_variant
    assert parsed.is_independent_segments
    assert parsed.version >= 7
    assert [p.uri for p in parsed.playlists] == [
        *("v1080.m3u8", "v720.m3u8", "v360.m3u8", "a96.m3u8")
    ]
    assert [p.stream_info.resolution for p in parsed.playlists] == [
        (1920, 1080),
        (1280, 720),
        (640, 360),
        None,
    ]
    first = parsed.playlists[0].stream_info
    assert first.codecs == "avc1.640028,mp4a.40.2"
    assert first.frame_rate == 30.0
    assert first.audio == "audio"
    assert first.closed_captions == "NONE"
    assert first.video_range == "SDR"
    (audio,) = parsed.media
    assert (audio.type, audio.group_id, audio.language, audio.channels) == (
        "AUDIO",
        "audio",
        "zh",
        "2",
    )
    assert (audio.default, audio.autoselect, audio.uri) == ("YES", "YES", "a96.m3u8")


def test_bandwidth_is_the_sum_of_measured_peaks_and_average_bandwidth_of_averages():
    plan = a_plan(frames=360, heights=(360,))
    sizes = {("v360", 0): 100_000, ("v360", 1): 400_000, ("v360", 2): 100_000}
    receipts = receipts_of(plan, size=lambda track, n: sizes.get((track, n), 50_000))
    video, audio = (track_rendition(plan, track, receipts) for track in ("v360", "a96"))
    assert video.peak_bandwidth == 400_000 * 8 / 4
    assert video.average_bandwidth == 600_000 * 8 / 12
    assert video.bytes == 600_800
    info = m3u8.loads(multivariant(plan, receipts, uri=str, final=True)).playlists[0].stream_info
    assert info.bandwidth == video.peak_bandwidth + audio.peak_bandwidth
    assert info.average_bandwidth == video.average_bandwidth + audio.average_bandwidth


def test_a_short_last_segment_counts_only_together_with_its_neighbour():
    """RFC 8216bis: the peak is over runs of 0.5 to 1.5 target durations."""
    plan = a_plan(frames=130, heights=(360,), audio=False)
    receipts = receipts_of(plan, size=lambda track, n: [40_000, 90_000][n])
    assert track_rendition(plan, "v360", receipts).peak_bandwidth == 130_000 * 8 * 30 // 130


def test_a_media_shorter_than_half_a_segment_has_one_rate():
    plan = a_plan(frames=15, heights=(360,), audio=False)
    rendition = track_rendition(plan, "v360", receipts_of(plan, size=lambda track, n: 10_000))
    assert rendition.peak_bandwidth == rendition.average_bandwidth == 160_000


def test_before_anything_is_measured_the_plans_caps_stand_in():
    plan = a_plan()
    rendition = track_rendition(plan, "v1080", [])
    assert rendition.average_bandwidth == rendition.peak_bandwidth == 1080 * 4000
    assert rendition.codecs == "avc1.640028"
    assert track_rendition(plan, "v720", []).codecs == "avc1.64001F"
    assert track_rendition(plan, "a96", []).peak_bandwidth == 96_000


def test_players_start_with_the_best_variant_that_most_links_carry():
    plan = a_plan()
    heavy = {"v1080": 2_000_000, "v720": 900_000}
    receipts = receipts_of(plan, size=lambda track, n: heavy.get(track, 100_000))
    order = [p.uri for p in m3u8.loads(multivariant(plan, receipts, uri=str, final=True)).playlists]
    assert order == ["v720.m3u8", "v1080.m3u8", "v360.m3u8", "a96.m3u8"]


def test_a_recording_without_audio_has_no_audio_group():
    plan = a_plan(audio=False)
    parsed = m3u8.loads(multivariant(plan, receipts_of(plan), uri=str, final=True))
    assert not parsed.media
    assert parsed.playlists[0].stream_info.codecs == "avc1.640028"
    assert parsed.playlists[0].stream_info.audio is None


def test_a_recording_without_video_is_one_audio_variant():
    plan = a_plan(heights=())
    parsed = m3u8.loads(multivariant(plan, receipts_of(plan), uri=str, final=True))
    assert [p.uri for p in parsed.playlists] == ["a96.m3u8"]
    assert parsed.playlists[0].stream_info.codecs == "mp4a.40.2"
    assert parsed.playlists[0].stream_info.resolution is None


def test_a_final_media_playlist_is_vod_and_ends():
    plan = a_plan()
    text = the_playlist(plan, "v1080", receipts_of(plan))
    parsed = m3u8.loads(text)
    assert parsed.playlist_type == "vod"
    assert parsed.is_endlist
    assert parsed.target_duration == 4
    assert "EXT-X-START" not in text
    assert parsed.segment_map[0].uri == "../v1080/init-1.mp4"
    assert [s.uri for s in parsed.segments][:2] == ["../v1080/0-1.m4s", "../v1080/1-1.m4s"]
    assert len(parsed.segments) == plan.grid.segment_count


def test_a_growing_media_playlist_is_an_event_from_the_start_and_stops_before_a_gap():
    plan = a_plan()
    receipts = [r for r in receipts_of(plan) if r.number != 3]
    parsed = m3u8.loads(the_playlist(plan, "a96", receipts, final=False))
    assert parsed.playlist_type == "event"
    assert not parsed.is_endlist
    assert len(parsed.segments) == 3
    assert parsed.start.time_offset == 0
    assert parsed.start.precise == "YES"


def test_the_same_lines_stay_while_a_playlist_grows():
    """RFC 8216bis 6.2.1: an EVENT playlist only appends."""
    plan = a_plan(rate=RATES[2])
    before = the_playlist(plan, "a96", receipts_of(plan, segments=4), final=False)
    after = the_playlist(plan, "a96", receipts_of(plan, segments=7), final=False)
    assert after.startswith(before)


def test_a_final_playlist_with_missing_segments_is_refused():
    plan = a_plan()
    with pytest.raises(Conflict, match="5 of 9 segments"):
        the_playlist(plan, "v720", receipts_of(plan, segments=5))


def test_a_track_the_plan_does_not_have_is_not_found():
    with pytest.raises(NotFound):
        the_playlist(a_plan(), "v2160", receipts_of(a_plan()), final=False)


def test_a_playlist_without_its_init_segment_is_not_found():
    plan = a_plan()
    with pytest.raises(NotFound, match="init"):
        the_playlist(plan, "v720", [r for r in receipts_of(plan) if r.number != INIT], final=False)


def test_the_priming_unit_is_no_part_of_the_presentation():
    plan = a_plan()
    first, second = contiguous(plan, "a96", receipts_of(plan))[:2]
    assert first.start == 0
    assert first.ticks == (plan.grid.units_in(0) - 1) * UNIT_SAMPLES
    assert second.start == first.end


@given(plans)
def test_extinf_sums_to_the_duration_without_drift(plan):
    receipts = receipts_of(plan)
    for track in plan.tracks:
        segments = contiguous(plan, track, receipts)
        lengths = [
            Fraction(line[8:-1])
            for line in the_playlist(plan, track, receipts).splitlines()
            if line.startswith("#EXTINF:")
        ]
        total = Fraction()
        for length, segment in zip(lengths, segments, strict=True):
            total += length
            assert abs(total - segment.end) <= Fraction(1, 2_000_000)
        slack = 0 if track.startswith("v") else Fraction(UNIT_SAMPLES, 48_000)
        assert abs(segments[-1].end - plan.grid.duration) <= slack


@given(plans)
def test_no_extinf_rounds_to_more_than_the_target_duration(plan):
    receipts = receipts_of(plan)
    for track in plan.tracks:
        parsed = m3u8.loads(the_playlist(plan, track, receipts))
        assert parsed.target_duration == target_duration(plan)
        for segment in parsed.segments:
            assert floor(segment.duration + 0.5) <= parsed.target_duration


@given(plans)
def test_segments_follow_one_another_and_audio_stays_within_a_unit_of_the_grid(plan):
    receipts = receipts_of(plan)
    for track in plan.tracks:
        segments = contiguous(plan, track, receipts)
        for n, (segment, following) in enumerate(itertools.pairwise(segments)):
            assert segment.end == following.start
            assert abs(following.start - plan.grid.start(n + 1)) <= Fraction(UNIT_SAMPLES, 96_000)


@given(plans, st.lists(st.integers(1, 10**7), min_size=1, max_size=20))
def test_the_peak_is_never_below_the_rate_of_a_full_segment(plan, sizes):
    receipts = receipts_of(plan, size=lambda track, n: sizes[n % len(sizes)])
    for track in plan.tracks:
        rendition = track_rendition(plan, track, receipts)
        full = [
            s for s in contiguous(plan, track, receipts) if s.duration >= target_duration(plan) / 2
        ]
        for segment in full:
            assert rendition.peak_bandwidth >= segment.bytes * 8 / segment.duration


def test_final_manifests_name_only_what_lies_beside_or_above_them():
    plan = a_plan()
    manifests = final_manifests(plan, receipts_of(plan), revision=2, language="en")
    assert set(manifests.files) == {
        "r2/main.m3u8",
        "r2/main.mpd",
        "r2/v1080.m3u8",
        "r2/v720.m3u8",
        "r2/v360.m3u8",
        "r2/a96.m3u8",
    }
    assert manifests.hls in manifests.files
    assert manifests.dash in manifests.files
    assert manifests.duration == pytest.approx(1000 / 30)
    assert [r.id for r in manifests.renditions] == plan.tracks
    master = m3u8.loads(manifests.files["r2/main.m3u8"])
    assert all(f"r2/{p.uri}" in manifests.files for p in master.playlists)
    assert manifests.content_type("r2/main.mpd") == "application/dash+xml"


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


def test_segments_of_mixed_attempts_are_listed_by_name():
    plan = a_plan()
    receipts = receipts_of(plan, attempt=lambda n: 2 if n > 4 else 1)
    mpd = MPEGDASHParser.parse(final_manifests(plan, receipts).files["r1/main.mpd"])
    assert mpd.profiles == "urn:mpeg:dash:profile:isoff-main:2011"
    listed = mpd.periods[0].adaptation_sets[0].representations[1].segment_lists[0]
    assert listed.initializations[0].source_url == "../v720/init-1.mp4"
    assert [u.media for u in listed.segment_urls] == [
        f"../v720/{n}-{2 if n > 4 else 1}.m4s" for n in range(9)
    ]
