from __future__ import annotations

from pathlib import Path

import pytest

from tests import footage as maker
from transcoding import probe, sources
from transcoding.loudness import STRETCHES, gain_towards, integrated, measure, stretches


@pytest.mark.parametrize(
    ("measured", "gain"),
    [(-26.04, 10.0), (-10.0, -6.0), (-16.9, 0.0), (-15.1, 0.0), (-60.0, 20.0), (None, 0.0)],
)
def test_the_gain_leads_to_the_target_within_bounds(measured: float | None, gain: float) -> None:
    assert gain_towards(measured, -16.0) == gain


def test_silence_has_no_loudness() -> None:
    assert integrated([]) is None
    assert integrated([-120.0, -90.0]) is None


def test_pauses_do_not_count() -> None:
    speech = [-20.0] * 100
    assert integrated(speech) == pytest.approx(-20.0)
    assert integrated(speech + [-90.0] * 300) == pytest.approx(-20.0)
    # Room noise passes the absolute gate, not the relative one.
    assert integrated(speech + [-50.0] * 100) == pytest.approx(-20.0)
    # Nor does what a damaged stream decodes to.
    assert integrated([*speech, 70.0]) == pytest.approx(-20.0)


def test_loudness_is_a_mean_of_energies() -> None:
    assert integrated([-20.0, -10.0]) == pytest.approx(-12.6, abs=0.01)


def test_short_recordings_are_measured_whole_and_long_ones_in_places() -> None:
    assert stretches(100.0) == [(0.0, None)]
    places = stretches(7200.0)
    assert len(places) == STRETCHES
    assert places[0][0] > 0
    assert all(start + (length or 0) < 7200 for start, length in places)


def test_places_tell_what_the_whole_is(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    # A tone of -23 LUFS in both channels, for half of every ten seconds.
    tone = "0.0708*sin(2*PI*997*t)*lt(mod(t\\,10)\\,5)"
    maker.ffmpeg("-f", "lavfi", "-i", f"aevalsrc={tone}|{tone}:s=16000:d=150", path)
    source = sources.of_file(path)
    inspection = probe.inspect(source, filename=path.name)
    assert inspection.audio is not None
    found = measure(source, inspection.audio, inspection, channels=2)
    assert found is not None
    assert found.loudness == pytest.approx(-23.0, abs=0.7)
    assert found.only_side is None
