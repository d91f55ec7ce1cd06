from __future__ import annotations

from fractions import Fraction

import pytest

from academy.recordings import AudioStream, Inspection, Ratio, VideoStream
from transcoding import ladder, profiles
from transcoding.ladder import (
    audio_rendition,
    dimensions,
    frame_rate,
    grid_for,
    video_renditions,
)
from transcoding.levels import level
from transcoding.profiles import FrameRates

DEFAULT = profiles.load()


def video(width: int, height: int, rate: Fraction = Fraction(30)) -> VideoStream:
    return VideoStream(
        index=0,
        codec="h264",
        width=width,
        height=height,
        coded_width=width,
        coded_height=height,
        frame_rate=Ratio.of(rate),
        pixel_format="yuv420p",
    )


def rungs(width: int, height: int, rate: Fraction = Fraction(30)) -> list[tuple[str, int, int]]:
    made = video_renditions(video(width, height, rate), DEFAULT, rate)
    return [(rung.id, rung.width, rung.height) for rung in made]


def test_a_full_hd_lecture_gets_the_whole_ladder() -> None:
    assert rungs(1920, 1080) == [("v1080", 1920, 1080), ("v720", 1280, 720), ("v360", 640, 360)]


def test_a_portrait_recording_is_sized_by_its_short_side() -> None:
    assert rungs(1080, 1920) == [("v1080", 1080, 1920), ("v720", 720, 1280), ("v360", 360, 640)]


def test_larger_sources_are_capped_at_1080() -> None:
    assert rungs(3840, 2160)[0] == ("v1080", 1920, 1080)


def test_a_source_smaller_than_every_rung_gets_one_at_its_own_size() -> None:
    assert rungs(320, 240) == [("v240", 320, 240)]


def test_a_source_between_two_rungs_keeps_its_own_size_on_top() -> None:
    assert rungs(1440, 900) == [("v900", 1440, 900), ("v360", 576, 360)]
    assert rungs(1680, 1050) == [("v1050", 1680, 1050), ("v720", 1152, 720), ("v360", 576, 360)]


def test_a_source_just_above_a_rung_is_scaled_to_it() -> None:
    assert rungs(1366, 768)[0] == ("v720", 1280, 720)


def test_odd_sizes_become_even_ones_that_invent_no_pixels() -> None:
    assert rungs(853, 479)[0] == ("v478", 852, 478)
    assert dimensions(321, 179, 179) == (320, 178)


def test_an_endless_banner_stays_within_what_hardware_decodes() -> None:
    width, height = dimensions(5760, 1080, 1080)
    assert (width, height) == (4096, 768)


def test_levels_follow_from_size_rate_and_bits() -> None:
    assert level(1920, 1080, Fraction(30), 4_500_000, least="4.0") == "4.0"
    assert level(1920, 1080, Fraction(60), 6_750_000, least="4.0") == "4.2"
    assert level(1280, 720, Fraction(60), 3_750_000, least="3.1") == "3.2"
    assert level(640, 360, Fraction(30), 900_000, least="3.0") == "3.0"
    assert level(4096, 768, Fraction(30), 4_500_000, least="4.0") == "5.0"


def test_above_thirty_frames_per_second_the_caps_grow() -> None:
    slow = video_renditions(video(1920, 1080), DEFAULT, Fraction(30))[0]
    fast = video_renditions(video(1920, 1080), DEFAULT, Fraction(60))[0]
    assert fast.max_rate == slow.max_rate * 3 // 2
    assert fast.buffer == slow.buffer * 3 // 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(60), Fraction(60)),
        (Fraction(120), Fraction(60)),
        (Fraction(120000, 1001), Fraction(60000, 1001)),
        (Fraction(100), Fraction(50)),
        (Fraction(1000), Fraction(60)),
        (Fraction(1, 10), Fraction(5)),
        (Fraction(2), Fraction(6)),
    ],
)
def test_frame_rates_stay_or_change_by_a_whole_factor(source: Fraction, expected: Fraction) -> None:
    assert frame_rate(source, FrameRates()) == expected


def inspection(duration: float, picture: VideoStream | None) -> Inspection:
    return Inspection(container="mp4", size=1, duration=duration, video=picture)


def test_the_grid_counts_whole_frames_in_exact_rationals() -> None:
    grid = grid_for(inspection(10.0, video(640, 360, Fraction(30000, 1001))), DEFAULT)
    assert (grid.segment_frames, grid.frames, grid.segment_count) == (120, 300, 3)
    assert grid.start(2) == Fraction(240 * 1001, 30000)
    assert grid.timescale == 30000
    assert grid.frame_ticks == 1001


def test_sound_alone_gets_the_grid_of_a_nominal_clock() -> None:
    grid = grid_for(inspection(10.0, None), DEFAULT)
    assert grid.frame_rate.fraction == ladder.NOMINAL_RATE
    assert grid.segment_count == 3


def test_one_frame_is_a_lecture_of_one_frame() -> None:
    grid = grid_for(inspection(0.001, video(640, 360)), DEFAULT)
    assert (grid.frames, grid.segment_count) == (1, 1)


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, ("a64", 1)), (2, ("a96", 2)), (6, ("a96", 2))]
)
def test_mono_stays_mono_and_the_rest_becomes_stereo(
    channels: int, expected: tuple[str, int]
) -> None:
    stream = AudioStream(index=1, codec="aac", channels=channels, sample_rate=44_100)
    rendition = audio_rendition(stream, DEFAULT.audio)
    assert (rendition.id, rendition.channels) == expected
