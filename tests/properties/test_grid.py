from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from academy.media import AUDIO_RATE, PRIMING_UNITS, UNIT_SAMPLES, Grid
from academy.recordings import Ratio

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
    Fraction(5),
    Fraction(1000, 17),
]


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    rate = draw(
        st.sampled_from(RATES) | st.fractions(min_value=5, max_value=60, max_denominator=1001)
    )
    seconds = draw(st.sampled_from([1, 2, 4, 6]))
    return Grid(
        frame_rate=Ratio.of(rate),
        segment_frames=max(1, round(seconds * rate)),
        frames=draw(st.integers(min_value=1, max_value=500_000)),
    )


@given(grids())
def test_segments_cover_every_frame_once(grid: Grid) -> None:
    counts = [grid.frames_in(number) for number in range(grid.segment_count)]
    assert sum(counts) == grid.frames
    assert all(count == grid.segment_frames for count in counts[:-1])
    assert 0 < counts[-1] <= grid.segment_frames


@given(grids())
def test_every_frame_lasts_a_whole_number_of_ticks(grid: Grid) -> None:
    assert Fraction(grid.frame_ticks, grid.timescale) == 1 / grid.frame_rate.fraction
    assert grid.timescale >= 10_000


@given(grids(), st.data())
def test_sound_is_cut_within_half_a_unit_of_the_picture(grid: Grid, data: st.DataObject) -> None:
    number = data.draw(st.integers(min_value=1, max_value=grid.segment_count))
    heard = Fraction((grid.first_unit(number) - PRIMING_UNITS) * UNIT_SAMPLES, AUDIO_RATE)
    assert abs(heard - grid.start(number)) <= Fraction(UNIT_SAMPLES, 2 * AUDIO_RATE)


@given(grids())
def test_units_of_sound_are_all_in_some_segment(grid: Grid) -> None:
    last = grid.segment_count
    assert sum(grid.units_in(number) for number in range(last)) == grid.first_unit(last)


@given(grids())
def test_every_segment_has_sound_for_at_most_one_frame_more(grid: Grid) -> None:
    sounding = grid.sounding()
    assert grid.frames <= sounding.frames <= grid.frames + 1
    assert all(
        sounding.units_in(n) >= 1 for n in range(max(0, grid.segment_count - 2), grid.segment_count)
    )
    assert sounding.segment_count == grid.segment_count
    assert sounding.sounding() == sounding


@given(grids(), st.integers(min_value=1, max_value=500_000))
def test_a_media_that_ends_sooner_keeps_the_boundaries_it_had(grid: Grid, frames: int) -> None:
    shorter = grid.model_copy(update={"frames": min(frames, grid.frames)})
    for number in (0, shorter.segment_count // 2, shorter.segment_count - 1):
        assert shorter.first_frame(number) == grid.first_frame(number)
        assert shorter.first_unit(number) == grid.first_unit(number)
