import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser

from academy.errors import Conflict, NotFound
from academy.media import (
    INIT,
    UNIT_SAMPLES,
    CaptionTrack,
    StoryboardSheets,
)
from academy.playlists import (
    contiguous,
    final_manifests,
    multivariant,
    track_rendition,
)
from tests.academy.playlist_plans import RATES, a_plan, receipts_of, the_playlist


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


def with_key_frames(receipts):
    return [
        r.model_copy(update={"key_bytes": 20_000 + r.number})
        if r.number != INIT and r.track.startswith("v")
        else r
        for r in receipts
    ]


def test_i_frame_playlists_name_the_beginnings_of_the_same_segments():
    plan = a_plan(frames=500, heights=(720, 360))
    made = final_manifests(plan, with_key_frames(receipts_of(plan)))
    main = m3u8.loads(made.files[made.hls])
    assert [each.uri for each in main.iframe_playlists] == [
        *("v720-iframes.m3u8", "v360-iframes.m3u8")
    ]
    stream = main.iframe_playlists[0].iframe_stream_info
    assert (stream.resolution, stream.codecs) == ((1280, 720), "avc1.640028")
    frames = m3u8.loads(made.files["r1/v720-iframes.m3u8"])
    usual = m3u8.loads(made.files["r1/v720.m3u8"])
    assert frames.is_i_frames_only
    assert frames.is_endlist
    assert [s.uri for s in frames.segments] == [s.uri for s in usual.segments]
    assert [s.duration for s in frames.segments] == [s.duration for s in usual.segments]
    assert [s.byterange for s in frames.segments] == [f"{20_000 + n}@0" for n in range(5)]
    # The shortest segment's picture costs most per second.
    assert stream.bandwidth == -(-20_004 * 8 * 30 // 20)


def test_without_known_first_pictures_and_while_growing_there_is_no_trick_play():
    plan = a_plan()
    made = final_manifests(plan, receipts_of(plan))
    assert not m3u8.loads(made.files[made.hls]).iframe_playlists
    growing = multivariant(plan, with_key_frames(receipts_of(plan)), uri=str, final=False)
    assert "I-FRAME" not in growing


def test_captions_are_offered_with_every_variant_in_both_manifests():
    plan = a_plan(frames=1000)
    tracks = [
        CaptionTrack(language="zh", label="中文", name="r1/subtitles-zh.vtt"),
        CaptionTrack(language="en", label="English", kind="captions", name="r1/captions-en.vtt"),
    ]
    made = final_manifests(plan, receipts_of(plan), captions=tracks)
    main = m3u8.loads(made.files[made.hls])
    group = [each for each in main.media if each.type == "SUBTITLES"]
    assert [(each.language, each.name, each.default) for each in group] == [
        ("zh", "中文", "NO"),
        ("en", "English", "NO"),
    ]
    assert "describes-music-and-sound" in group[1].characteristics
    assert {p.stream_info.subtitles for p in main.playlists} == {"subtitles"}
    playlist = m3u8.loads(made.files[f"r1/{group[1].uri}"])
    assert playlist.is_endlist
    assert playlist.target_duration == 34
    (segment,) = playlist.segments
    assert (segment.uri, segment.duration) == ("../r1/captions-en.vtt", 33.333333)
    (period,) = MPEGDASHParser.parse(made.files[made.dash]).periods
    texts = [each for each in period.adaptation_sets if each.content_type == "text"]
    assert [each.lang for each in texts] == ["zh", "en"]


def test_the_storyboard_is_a_thumbnail_set_of_the_dash_manifest():
    plan = a_plan(frames=1000)
    sheets = StoryboardSheets(
        names=["r1/storyboard-0.jpg"], columns=9, rows=1, width=160, height=90, segments=1
    )
    made = final_manifests(plan, receipts_of(plan), sheets=sheets)
    (period,) = MPEGDASHParser.parse(made.files[made.dash]).periods
    (images,) = [each for each in period.adaptation_sets if each.content_type == "image"]
    (template,) = images.segment_templates
    assert template.media == "../r1/storyboard-$Number$.jpg"
    assert template.duration / template.timescale == 36
    (representation,) = images.representations
    assert (representation.width, representation.height) == (1440, 90)
