"""Where a lecture's clock begins, and where reading of a stream without an index does: pure parts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.recordings import Inspection, Ratio
from tests.documents import FULL_HD
from transcoding.clock import JOINT, LEAST, MOST_CUT, beginning, on_clock, shift
from transcoding.frame_rates import STANDARD
from transcoding.keyframes import shown
from transcoding.sources import Source, of_file


def recording(
    first: float,
    rate: Fraction,
    *,
    varies: bool = False,
    container: str = "flv",
    start: float = 0.0,
) -> Inspection:
    frames = {"frame_rate": Ratio.of(rate), "variable_frame_rate": varies, "start": first}
    picture = FULL_HD.model_copy(update=frames)
    return Inspection(container=container, size=1, start=start, duration=60.0, video=picture)


@given(first=st.floats(0, 5), rate=st.sampled_from(STANDARD))
def test_pictures_of_a_constant_rate_lie_on_the_grid(first: float, rate: Fraction) -> None:
    moved = shift(recording(first, rate))
    place = (Fraction(first) - moved) * rate
    assert abs(place - round(place)) <= LEAST * rate
    # Little sound is cut, and no more than a frame is added.
    assert -1 / rate <= moved <= MOST_CUT


def test_pictures_that_come_at_any_time_move_no_clock() -> None:
    assert shift(recording(0.0213, Fraction(24), varies=True)) == 0
    assert shift(recording(0.0213, Fraction(24))) != 0


def test_the_priming_of_aac_at_24_frames_is_shown_with_its_picture() -> None:
    told = recording(1024 / 48_000, Fraction(24), start=37.0)
    assert beginning(told) == pytest.approx(37 + 1024 / 48_000 - 1 / 24)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "lecture"
    path.write_bytes(b"x")
    return of_file(path)


@pytest.mark.parametrize("container", sorted(JOINT))
def test_both_streams_of_a_clock_that_may_jump_count_from_one_zero(
    container: str, source: Source
) -> None:
    told = recording(0.0, Fraction(25), container=container, start=1.4)
    read = on_clock(source, told).reading_from(Fraction(8))
    assert "start_at_zero" not in read
    # A microsecond beside the start, which ffmpeg would correct by itself.
    assert read["itsoffset"] == "-1.399999"
    assert on_clock(source, told.model_copy(update={"container": "mp4"})) is source


def test_the_first_picture_is_read_from_what_ffmpeg_lists() -> None:
    assert shown("#tb 0: 1/30\n#media_type 0: video\n0, 45, 45, 1, 86400, 0x2dece570\n") == 1.5
    assert shown("#tb 0: 1/30\n") is None
    assert shown("") is None
