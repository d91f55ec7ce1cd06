"""What follows from samples, as pure arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoding.complexity import Content, Loss, Sample, keeps

NTSC = Fraction(30000, 1001)
SHARP = Loss(faint=0.1, clear=0.03, hard=0.015)
SOFT = Loss(faint=0.06, clear=0.0002, hard=0.0)
NOTHING = Loss(faint=0.007, clear=0.0, hard=0.0)


def sample(**changes: Any) -> Sample:
    usual: dict[str, Any] = {
        "start": 0.0,
        "sizes": (10_000, 500, 500, 500),
        "changes": (0.01, 0.01, 0.01),
        "losses": {720: SOFT, 360: SOFT},
    }
    return Sample(**(usual | changes))


def content(*samples: Sample, rate: Fraction = Fraction(30)) -> Content:
    return Content(samples=samples, width=1920, height=1080, rate=rate, picture_seconds=0.01)


def test_hard_edges_lost_by_scaling_mean_slides_or_a_screen() -> None:
    assert content(sample(losses={360: SHARP})).drawn
    assert not content(sample()).drawn


def test_most_samples_decide_what_a_recording_is() -> None:
    sharp, soft = sample(losses={360: SHARP}), sample()
    assert content(sharp, sharp, soft).drawn
    assert not content(soft, soft, sharp).drawn


def test_a_smaller_rung_looks_alike_only_where_every_sample_loses_nothing() -> None:
    alike = sample(losses={720: NOTHING, 360: SOFT})
    assert content(alike, alike).alike(720)
    assert not content(alike, alike).alike(360)
    assert not content(alike, sample()).alike(720)
    assert not content(alike).alike(480)  # never measured


def test_the_need_counts_keyframes_every_four_seconds_and_the_rest_at_the_recordings_rate() -> None:
    bits = 8 * (500 * 30 + 10_000 / 4)
    assert content(sample()).need == pytest.approx(6.0 * bits)
    assert content(sample(losses={360: SHARP})).need == pytest.approx(1.25 * bits)


def test_smaller_rungs_need_less_but_not_by_their_area() -> None:
    found = content(sample())
    assert found.need_at(1080) == found.need
    assert found.need / 4 < found.need_at(540) < found.need / 2


def pattern(*changed: int, count: int = 24) -> Sample:
    """A sample in which each of `changed`, modulo its length, marks a picture that differs."""
    return sample(changes=tuple(0.05 if n in changed else 0.0 for n in range(count)))


def test_sixty_frames_that_repeat_each_picture_become_thirty() -> None:
    doubled = [pattern(*range(phase, 24, 2)) for phase in (0, 1)]
    assert content(doubled[0], rate=Fraction(60)).frame_rate == 30
    assert content(*doubled, rate=Fraction(60)).frame_rate == 30
    assert content(doubled[0], rate=2 * NTSC).frame_rate == NTSC


def test_film_in_sixty_frames_becomes_twenty_four() -> None:
    # 3:2 pulldown: a new picture after 3, 2, 3, 2 … frames.
    changed = [n - 1 for n in range(1, 25) if (n * 24) // 60 > ((n - 1) * 24) // 60]
    assert content(pattern(*changed), rate=Fraction(60)).frame_rate == 24


def test_one_moment_at_full_rate_keeps_the_full_rate() -> None:
    doubled, full = pattern(*range(0, 24, 2)), pattern(*range(24))
    assert content(doubled, full, rate=Fraction(60)).frame_rate == 60


def test_too_little_motion_proves_nothing_for_a_camera_and_slides_get_thirty() -> None:
    still = pattern(3)
    assert content(still, rate=Fraction(60)).frame_rate == 60
    slides = sample(changes=still.changes, losses={360: SHARP})
    assert content(slides, rate=Fraction(60)).frame_rate == 30
    assert content(slides, rate=Fraction(25)).frame_rate == 25


def test_thirty_is_not_lowered_to_its_ntsc_neighbour() -> None:
    # Over a short sample 29.97 loses nothing of 30; over a lecture it would.
    assert content(pattern(*range(0, 24, 2)), rate=Fraction(30)).frame_rate in {24, 25, 30}
    assert content(pattern(*range(24)), rate=Fraction(30)).frame_rate == 30


@given(changes=st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_recordings_own_rate_keeps_every_change(changes: list[bool]) -> None:
    assert keeps(changes, Fraction(30), Fraction(30))


@given(
    changes=st.lists(st.booleans(), min_size=8, max_size=60),
    rate=st.sampled_from([Fraction(60), Fraction(50), Fraction(48)]),
)
def test_a_chosen_rate_never_loses_a_picture_of_the_samples(
    changes: list[bool], rate: Fraction
) -> None:
    found = content(sample(changes=tuple(0.05 * c for c in changes)), rate=rate)
    assert keeps(changes, rate, found.frame_rate)
    assert found.frame_rate <= rate
