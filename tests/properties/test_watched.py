"""Watched ranges: a union that neither order, nor repetition, nor the place where it is made changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from academy.courses import now
from academy.ids import new_id
from academy.progress import Heartbeat
from academy.watched import MOST_RANGES, bounded, clipped, covered, merged
from tests.fixtures_mongo import Synchronous

seconds = st.integers(0, 4_000).map(lambda tenth: tenth / 10)
ranges = st.lists(st.tuples(seconds, seconds), max_size=30)


def tenths(watched):
    return {t for start, end in watched for t in range(round(start * 10), round(end * 10))}


@given(ranges)
def test_merging_keeps_exactly_the_seconds_that_were_watched(watched):
    union = merged(watched)
    assert tenths(union) == tenths(watched)
    assert all(end < start for (_, end), (start, _) in pairwise(union))
    assert all(start < end for start, end in union)


@given(ranges, ranges)
def test_neither_order_nor_repetition_matters(one, other):
    union = merged([*one, *other])
    assert merged([*other, *one]) == union
    assert merged([*merged(one), *other]) == union
    assert merged([*union, *one]) == union


@given(ranges, seconds)
def test_coverage_never_exceeds_what_there_is(watched, duration):
    union = merged(watched)
    assert 0 <= covered(union, duration) <= duration + 1e-6
    inside = {t for t in tenths(watched) if t < round(duration * 10)}
    assert round(covered(union, duration) * 10) == len(inside)
    assert clipped(union, duration) == merged(clipped(union, duration))


@given(ranges, st.integers(1, 10))
def test_bounding_forgets_the_shortest_and_never_adds(watched, most):
    union = merged(watched)
    kept = bounded(union, most)
    assert len(kept) == min(most, len(union))
    assert kept == merged(kept)
    assert set(kept) <= set(union)
    shortest_kept = min((end - start for start, end in kept), default=0)
    assert all(end - start <= shortest_kept + 1e-9 for start, end in set(union) - set(kept))


BEGIN = now()
reports = st.lists(
    st.builds(
        Heartbeat,
        subject=st.just(""),
        lecture=st.just("$lecture"),
        course=st.just("course"),
        position=seconds,
        watched=ranges.map(lambda each: tuple(merged(each))),
        at=st.integers(0, 10_000).map(lambda ms: BEGIN + timedelta(milliseconds=ms)),
        session=st.sampled_from([None, "a", "$b"]),
        sequence=st.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)


def recorded(synchronous: Synchronous, beats: list[Heartbeat]):
    store = synchronous.stores.progress
    for beat in beats:
        synchronous.run(store.record([beat]))
    return synchronous.run(store.of_course(beats[0].subject, "course"))["$lecture"]


@given(beats=reports)
@settings(max_examples=40)
def test_the_database_joins_as_the_domain_does(synchronous, beats):
    subject = new_id()
    beats = [replace(beat, subject=subject) for beat in beats]
    kept = recorded(synchronous, beats)
    joined = beats[0]
    for beat in beats[1:]:
        joined = beat.joined(joined)
    assert kept.watched == joined.watched
    assert (kept.position, kept.session, kept.sequence) == (
        joined.position,
        joined.session,
        joined.sequence,
    )
    assert kept.at == joined.at
    assert kept.started_at == beats[0].at


def test_the_database_bounds_as_the_domain_does(synchronous):
    many = [(n * 3.0, n * 3.0 + 1 + n % 7 / 10) for n in range(MOST_RANGES)]
    more = [(n * 3.0 + 2, n * 3.0 + 2 + n % 11 / 20) for n in range(1, MOST_RANGES)]
    beat = Heartbeat(new_id(), "$lecture", "course", 1.0, tuple(many), BEGIN)
    second = Heartbeat(beat.subject, "$lecture", "course", 2.0, tuple(merged(more)), BEGIN)
    kept = recorded(synchronous, [beat, second])
    assert len(kept.watched) == MOST_RANGES
    assert kept.watched == tuple(bounded(merged([*many, *more])))
