"""Properties of every plan: durations add up, rates cover what is sent, tracks stay together."""

import itertools
from fractions import Fraction
from math import floor

import m3u8
from hypothesis import given
from hypothesis import strategies as st

from academy.media import (
    UNIT_SAMPLES,
)
from academy.playlists import (
    contiguous,
    target_duration,
    track_rendition,
)
from tests.academy.playlist_plans import plans, receipts_of, the_playlist


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
