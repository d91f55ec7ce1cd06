"""The ladder as it follows from what was measured: exact, and explained."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from academy.recordings import Inspection, Ratio
from tests.documents import FULL_HD
from tests.transcoding.test_complexity import NOTHING, SHARP, SOFT, content, pattern, sample
from transcoding import profiles
from transcoding.complexity import Content
from transcoding.ladder import grid_for, video_renditions
from transcoding.levels import av1_level
from transcoding.profiles import Profile
from transcoding.reasons import reasons

DEFAULT = profiles.load()
RATE = Fraction(30)
SLIDES = content(sample(losses={720: SHARP, 360: SHARP}))
CAMERA = content(sample(sizes=(20_000, 2_000, 2_000), losses={720: SOFT, 360: SOFT}))
ENLARGED = content(sample(losses={720: NOTHING, 360: SOFT}))


def ids(found: Content | None, profile: Profile = DEFAULT) -> list[str]:
    return [rung.id for rung in video_renditions(FULL_HD, profile, RATE, found)]


def codes(found: Content | None, rate: Fraction = RATE) -> list[str]:
    made = video_renditions(FULL_HD, DEFAULT, rate, found)
    return [reason.code for reason in reasons(FULL_HD, DEFAULT, rate, found, made)]


def test_a_camera_gets_the_whole_ladder_at_its_quality() -> None:
    made = video_renditions(FULL_HD, DEFAULT, RATE, CAMERA)
    assert [(r.id, r.crf, r.parameters) for r in made] == [
        ("v1080", 21, "aq-strength=0.4"),
        ("v720", 22, "aq-strength=0.4"),
        ("v360", 23, "aq-strength=0.4"),
    ]
    assert codes(CAMERA) == ["filmed", "rung", "rung", "rung"]


def test_slides_keep_1080_lines_and_lose_the_rung_on_which_nobody_can_read() -> None:
    made = video_renditions(FULL_HD, DEFAULT, RATE, SLIDES)
    assert [(r.id, r.crf, r.parameters) for r in made] == [
        ("v1080", 27, "aq-strength=0.4"),
        ("v720", 27, "aq-strength=0.4"),
    ]
    assert codes(SLIDES) == ["drawn", "not_needed", "rung", "rung"]


def test_slides_that_need_much_keep_a_rung_for_bad_networks() -> None:
    busy = content(sample(sizes=(90_000, 9_000, 9_000), losses={720: SHARP, 360: SHARP}))
    assert ids(busy) == ["v1080", "v720", "v360"]


def test_an_enlarged_recording_gets_no_rung_that_shows_nothing_more() -> None:
    assert ids(ENLARGED) == ["v720", "v360"]
    assert codes(ENLARGED) == ["filmed", "looks_alike", "rung", "rung"]


def test_without_samples_the_table_is_taken_as_it_stands() -> None:
    assert ids(None) == ["v1080", "v720", "v360"]
    assert video_renditions(FULL_HD, DEFAULT, RATE)[0].cost is None
    assert codes(None)[0] == "not_sampled"


def test_a_cap_rises_to_twice_the_need_and_no_further_than_the_profile_allows() -> None:
    calm = video_renditions(FULL_HD, DEFAULT, RATE, CAMERA)[0]
    grainy = content(sample(sizes=(60_000, 2_600, 2_600)))
    wild = content(sample(sizes=(200_000, 90_000, 90_000)))
    assert calm.max_rate == 6_240_000
    assert grainy.need == 6 * 8 * (2_600 * 30 + 15_000)
    assert video_renditions(FULL_HD, DEFAULT, RATE, grainy)[0].max_rate == 2 * int(grainy.need)
    assert video_renditions(FULL_HD, DEFAULT, RATE, wild)[0].max_rate == 9_000_000
    assert video_renditions(FULL_HD, DEFAULT, RATE, wild)[0].buffer == 18_000_000


def test_av1_stands_behind_h264_with_ids_of_its_own() -> None:
    made = video_renditions(FULL_HD, profiles.load("av1"), RATE, CAMERA)
    assert [(r.id, r.codec, r.preset) for r in made] == [
        ("v1080", "h264", "faster"),
        ("v720", "h264", "faster"),
        ("v360", "h264", "faster"),
        ("v1080av1", "av1", "7"),
        ("v720av1", "av1", "7"),
    ]
    slides = video_renditions(FULL_HD, profiles.load("av1"), RATE, SLIDES)
    assert [(r.id, r.preset) for r in slides if r.codec == "av1"] == [("v1080av1", "8")]
    assert ids(SLIDES, profiles.load("av1")) == ["v1080", "v720", "v1080av1"]


def test_costs_follow_pixels_rate_and_preset_and_the_speed_of_this_machine() -> None:
    large, middle, small = video_renditions(FULL_HD, DEFAULT, RATE, CAMERA)
    assert large.cost is not None
    assert middle.cost is not None
    assert small.cost is not None
    assert large.cost > middle.cost > small.cost > 0
    slower = replace(CAMERA, picture_seconds=2 * CAMERA.picture_seconds)
    assert video_renditions(FULL_HD, DEFAULT, RATE, slower)[0].cost == 2 * large.cost


def test_the_grid_runs_at_the_rate_that_is_really_there() -> None:
    doubled = content(pattern(*range(0, 24, 2)), rate=Fraction(60))
    video = FULL_HD.model_copy(update={"frame_rate": Ratio(num=60)})
    found = Inspection(container="mp4", size=1, duration=10, video=video)
    assert grid_for(found, DEFAULT, doubled).frame_rate == Ratio(num=30)
    assert grid_for(found, DEFAULT).frame_rate == Ratio(num=60)
    varying = video.model_copy(update={"variable_frame_rate": True})
    found = found.model_copy(update={"video": varying})
    assert grid_for(found, DEFAULT, doubled).frame_rate == Ratio(num=60)


def test_what_was_left_out_is_explained_by_its_figures() -> None:
    made = video_renditions(FULL_HD, DEFAULT, RATE, SLIDES)
    told = [r for r in reasons(FULL_HD, DEFAULT, RATE, SLIDES, made) if r.code == "not_needed"]
    assert [reason.figures for reason in told] == [
        {"size": 360, "above": 720, "above_needs": round(SLIDES.need_at(720))}
    ]
    made = video_renditions(FULL_HD, DEFAULT, RATE, ENLARGED)
    told = [r for r in reasons(FULL_HD, DEFAULT, RATE, ENLARGED, made) if r.code == "looks_alike"]
    assert [reason.figures for reason in told] == [{"size": 1080, "instead": 720}]


def test_a_lowered_rate_is_explained_with_its_figures() -> None:
    video = FULL_HD.model_copy(update={"frame_rate": Ratio(num=60)})
    told = [r for r in reasons(video, DEFAULT, RATE, CAMERA, []) if r.code == "frame_rate"]
    assert told[0].figures == {"source": 60, "chosen": 30}
    assert told[0].message.startswith("30 instead of 60 frames per second")


def test_av1_levels_follow_from_size_and_rate() -> None:
    assert av1_level(1920, 1080, Fraction(30)) == "4.0"
    assert av1_level(1920, 1080, Fraction(60)) == "4.1"
    assert av1_level(1280, 720, Fraction(30)) == "3.1"
    assert av1_level(640, 360, Fraction(30)) == "2.1"
    assert av1_level(7680, 4320, Fraction(120)) == "5.2"
