"""Where the source ended, and how far the work has come."""

from __future__ import annotations

from fractions import Fraction

import pytest

from academy.errors import RejectedMedia
from academy.media import Receipt
from tests.transcoding.small_plan import CHUNKS, INSPECTION, PLAN
from transcoding.endings import ending_of, with_damage
from transcoding.items import Item, Meter
from transcoding.tasks import Outcome, Result, TaskKind


def done() -> Result:
    return Result(outcome=Outcome.DONE)


def short(at: float) -> Result:
    return Result(outcome=Outcome.SHORT, ends_at=at)


def ended(**results: list[Result]) -> list[Item]:
    items = []
    for kind, answers in results.items():
        for index, result in enumerate(answers):
            items.append(Item(TaskKind(kind), CHUNKS[index], result=result))
    return items


def test_a_complete_source_needs_nothing() -> None:
    ending = ending_of(PLAN, INSPECTION, ended(video=[done()] * 5, audio=[done()] * 5))
    assert not ending.short
    assert ending.frames == 300


def test_sound_that_goes_on_holds_the_picture_to_the_end() -> None:
    items = ended(video=[done(), done(), short(5.0), short(6.0), short(8.0)], audio=[done()] * 5)
    ending = ending_of(PLAN, INSPECTION, items)
    assert ending.short
    assert ending.frames == 300
    assert ending.hold_from(Item(TaskKind.VIDEO, CHUNKS[3])) == 5.0
    assert ending.inspection == INSPECTION


def test_both_ending_early_is_a_file_that_breaks_off() -> None:
    items = ended(video=[done(), short(3.5)], audio=[done(), short(3.2)])
    ending = ending_of(PLAN, INSPECTION, items)
    assert ending.frames == 105
    assert [finding.code for finding in ending.inspection.findings] == ["truncated"]
    assert ending.plan([]).grid.frames == 105
    recorded = Receipt(track="v90", number=3, name="v90/3-1.m4s", bytes=1)
    assert ending.plan([recorded]).grid.frames == 120


def test_a_hole_in_the_middle_is_filled_from_where_it_begins() -> None:
    items = ended(video=[done(), short(2.5), done(), done(), done()], audio=[done()] * 5)
    ending = ending_of(PLAN, INSPECTION, items)
    assert ending.frames == 300
    assert ending.hold_from(Item(TaskKind.VIDEO, CHUNKS[1])) == 2.0


def test_too_little_is_refused() -> None:
    with pytest.raises(RejectedMedia, match="Only 1 of 10 seconds") as refused:
        ending_of(PLAN, INSPECTION, ended(video=[short(0.6)], audio=[short(0.5)]))
    assert refused.value.code == "truncated"


def test_many_complaints_are_damage_and_a_few_are_not() -> None:
    few = [Item(TaskKind.VIDEO, CHUNKS[0], result=Result(outcome=Outcome.DONE, complaints=2))]
    many = [Item(TaskKind.VIDEO, CHUNKS[0], result=Result(outcome=Outcome.DONE, complaints=20))]
    assert with_damage(INSPECTION, few) == INSPECTION
    warned = with_damage(INSPECTION, many)
    assert [finding.code for finding in warned.findings] == ["damaged"]
    assert with_damage(warned, many) == warned


def test_the_meter_looks_ahead_of_what_is_recorded_and_never_goes_back() -> None:
    meter = Meter(total=10.0, segment_seconds=1.0)
    item = Item(TaskKind.VIDEO, CHUNKS[0])
    meter.look_ahead(item, 1.5)
    assert meter.progress().fraction == pytest.approx(0.15)
    meter.add(item, 1)
    assert meter.progress().fraction == pytest.approx(0.15)
    meter.look_ahead(item, 0)
    assert meter.progress().fraction == pytest.approx(0.15)
    meter.add(item, 1)
    assert meter.progress().fraction == pytest.approx(0.2)


def test_time_spent_waiting_behind_other_recordings_slows_nobody_down(monkeypatch) -> None:
    now = 1000.0
    monkeypatch.setattr("transcoding.items.time.monotonic", lambda: now)
    meter = Meter(total=10.0, segment_seconds=1.0)
    assert (meter.progress().speed, meter.progress().eta) == (None, None)
    now += 600  # in the queue
    meter.begin()
    now += 2
    meter.add(Item(TaskKind.VIDEO, CHUNKS[0]), 4)
    assert (meter.progress().speed, meter.progress().eta) == (2.0, 3.0)


def test_the_meter_counts_what_earlier_attempts_did() -> None:
    meter = Meter(total=10.0, segment_seconds=1.0, before=5.0)
    meter.add(Item(TaskKind.VIDEO, CHUNKS[0]), 2)
    assert meter.progress().fraction == pytest.approx(0.7)
    assert Fraction(meter.done) == 2
