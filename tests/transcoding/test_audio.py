from __future__ import annotations

import math
import subprocess
from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from academy.media import AUDIO_RATE, INIT, PRIMING_UNITS, UNIT_SAMPLES
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import Bench, Benches, samples
from tests.footage import ffmpeg
from transcoding import anchor, binary, sources
from transcoding.anchor import Anchor, anchored
from transcoding.audio_command import CEILING_DB, Stretch, audio_command
from transcoding.tasks import Outcome, TaskKind

CHIRP = "0.25*sin(2*PI*(200+60*t)*t)+0.08*sin(2*PI*3100*t)+0.02*random(0)"


@pytest.fixture(scope="module")
def chirp(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four seconds at 44.1 kHz that never repeat, in containers with fine clocks and coarse ones."""
    folder = tmp_path_factory.mktemp("chirp")
    mp4 = folder / "chirp.mp4"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{CHIRP}':s=44100:d=4", "-ac", "2", "-b:a", "192k", mp4)
    copies = {"mp4": mp4}
    for name, codec in {
        "mkv": ["copy"],
        "flv": ["copy"],
        "ts": ["copy"],
        "webm": ["libopus"],
        "mp3.mkv": ["libmp3lame"],
    }.items():
        copies[name] = folder / f"chirp.{name}"
        ffmpeg("-i", mp4, "-c:a", *codec, copies[name])
    return copies


def anchor_of(bench: Bench, path: Path) -> Anchor | None:
    if not anchor.needed(bench.inspection) or bench.inspection.audio is None:
        return None
    return anchor.measure(bench.ffmpeg.path, sources.of_file(path), bench.inspection.audio)


def sound_of(bench: Bench) -> str:
    assert bench.plan.audio is not None
    return bench.plan.audio.id


def encode(bench: Bench, path: Path, step: int) -> list[float]:
    """The first channel, from stretches of `step` segments."""
    count, where = bench.grid.segment_count, anchor_of(bench, path)
    for first in range(0, count, step):
        result = bench.run(TaskKind.AUDIO, first, min(step, count - first), anchor=where)
        assert result.outcome is Outcome.DONE, result
    return list(samples(bench.joined(sound_of(bench)))[0])


def errors(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Root of the mean square, per access unit."""
    return [
        math.dist(one[at : at + UNIT_SAMPLES], other[at : at + UNIT_SAMPLES]) / UNIT_SAMPLES**0.5
        for at in range(0, len(one) - UNIT_SAMPLES, UNIT_SAMPLES)
    ]


@pytest.mark.parametrize(
    "container",
    [
        "mp4",
        "webm",
        *(pytest.param(rare, marks=pytest.mark.slow) for rare in ("mkv", "flv", "ts", "mp3.mkv")),
    ],
)
def test_stretches_join_as_if_there_were_one(
    container: str, chirp: dict[str, Path], bench: Benches
) -> None:
    path = chirp[container]
    single, joined = bench(path), bench(path)
    one, other = encode(single, path, 100), encode(joined, path, 1)
    grid = single.grid
    assert len(one) == len(other) == (grid.first_unit(grid.segment_count) - 1) * UNIT_SAMPLES
    differences = errors(one, other)
    seams = {grid.first_unit(n) - PRIMING_UNITS for n in range(1, grid.segment_count)}
    near = {seam + step for seam in seams for step in (-1, 0, 1)}
    at_seams = max(e for n, e in enumerate(differences) if n in near)
    elsewhere = max(e for n, e in enumerate(differences) if n not in near)
    # Two encodings never agree to the bit; where they join they agree no worse. A shift by a single
    # sample would show: it costs 0.03.
    assert at_seams <= elsewhere * 1.1 + 0.001
    assert elsewhere < 0.02


@pytest.mark.parametrize("gain", [0.0, 9.0])
def test_where_stretches_join_the_sound_is_as_near_to_its_source_as_elsewhere(
    gain: float, chirp: dict[str, Path], bench: Benches
) -> None:
    path = chirp["mp4"]
    made = bench(path, gain_db=gain)
    joined = encode(made, path, 1)
    wav = path.with_suffix(f".{gain}.wav")
    ffmpeg("-i", path, "-af", "pan=mono|c0=c0", "-ar", "48000", "-c:a", "pcm_f32le", wav)
    # Louder by as much; its peaks stay below the limiter's ceiling.
    source = [value * 10 ** (gain / 20) for value in samples(wav)[0]]
    differences = errors(joined, source)
    grid = made.grid
    seams = [grid.first_unit(n) - PRIMING_UNITS for n in range(1, grid.segment_count)]
    near = {seam + step for seam in seams for step in (-1, 0, 1)}
    elsewhere = sorted(e for n, e in enumerate(differences) if n not in near and n > 2)
    assert len(seams) == 3
    # As the worst tenth elsewhere: a chirp is not equally hard everywhere.
    assert max(differences[n] for n in near) <= 1.2 * elsewhere[len(elsewhere) * 9 // 10]
    assert elsewhere[-1] < 0.03 * 10 ** (gain / 20)


def test_sound_stays_where_it_was_in_the_source(chirp: dict[str, Path], bench: Benches) -> None:
    path = chirp["mp4"]
    made = encode(bench(path), path, 2)
    wav = path.with_suffix(".wav")
    ffmpeg("-i", path, "-ac", "1", "-ar", "48000", "-c:a", "pcm_f32le", wav)
    source = list(samples(wav)[0])
    for at in (10_000, 96_000, 150_000):
        piece = made[at : at + 2048]
        shifts = {shift: math.dist(piece, source[at + shift :][:2048]) for shift in range(-40, 41)}
        assert min(shifts, key=shifts.__getitem__) == 0


def test_segments_are_cut_by_access_units_to_the_grid(bench: Benches, footage: Footage) -> None:
    made = bench(footage("ntsc"))
    made.run(TaskKind.AUDIO, 0, 2)
    made.run(TaskKind.AUDIO, 2, made.grid.segment_count - 2)
    receipts = made.track("a96")
    grid = made.grid
    assert [r.units for r in receipts] == [grid.units_in(n) for n in range(grid.segment_count)]
    assert [r.start for r in receipts] == [
        grid.first_unit(n) * UNIT_SAMPLES for n in range(grid.segment_count)
    ]
    assert [r.bytes for r in receipts] == [(made.root / r.name).stat().st_size for r in receipts]
    (init,) = [r for r in made.journal.receipts() if r.number == INIT]
    assert (init.name, init.codecs) == ("a96/init-1.mp4", "mp4a.40.2")


def test_a_takeover_encodes_only_what_is_missing(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture"))
    made.run(TaskKind.AUDIO, 2, 1)
    assert made.run(TaskKind.AUDIO, 0, 6).segments == 5
    assert len(samples(made.joined("a96"))[0]) == 281 * UNIT_SAMPLES
    assert made.run(TaskKind.AUDIO, 0, 6).segments == 0


def test_mono_stays_mono(bench: Benches, footage: Footage) -> None:
    made = bench(footage("wav"))
    made.run(TaskKind.AUDIO, 0, 6)
    assert sound_of(made) == "a64"
    assert len(samples(made.joined("a64"))) == 1


def test_surround_becomes_stereo(bench: Benches, footage: Footage) -> None:
    made = bench(footage("surround"))
    made.run(TaskKind.AUDIO, 0, 6)
    assert len(samples(made.joined("a96"))) == 2


def test_sound_that_ends_early_becomes_silence(bench: Benches, footage: Footage) -> None:
    made = bench(footage("wav"), frames=25 * 10)
    result = made.run(TaskKind.AUDIO, 0, 10)
    assert result.outcome is Outcome.SHORT
    assert result.ends_at == pytest.approx(6.0, abs=0.05)
    behind = made.run(TaskKind.AUDIO, 8, 1)
    assert (behind.outcome, behind.segments) == (Outcome.SHORT, 0)
    assert made.run(TaskKind.AUDIO, 0, 10, hold_from=6.0).outcome is Outcome.DONE
    (heard,) = samples(made.joined("a64"))
    assert len(heard) == (made.grid.first_unit(10) - 1) * UNIT_SAMPLES
    assert max(map(abs, heard[: 5 * 48_000])) > 0.1
    assert max(map(abs, heard[7 * 48_000 :])) < 1e-3


def test_a_gain_upwards_never_passes_the_ceiling(bench: Benches, tmp_path: Path) -> None:
    path = tmp_path / "peaks.wav"
    # Loud clicks in soft sound: plus 18 dB would take the clicks far over full scale.
    bursts = "0.02*sin(2*PI*300*t)+0.5*sin(2*PI*997*t)*lt(mod(t\\,1)\\,0.02)"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc={bursts}:s=48000:d=4", path)
    made = bench(path, gain_db=18.0)
    made.run(TaskKind.AUDIO, 0, made.grid.segment_count)
    (heard,) = samples(made.joined("a64"))
    assert 0.1 < max(map(abs, heard[20_000:40_000])) < 0.2
    assert max(map(abs, heard)) < 0.95


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_the_encoder_is_given_nothing_beyond_the_ceiling_between_samples_either(
    bench: Benches, tmp_path: Path, rate: int
) -> None:
    path, given, finer = tmp_path / "peaks.wav", tmp_path / "given.f32", tmp_path / "finer.f32"
    # Four samples make a wave of the loud clicks: its peaks lie between them, 3 dB higher.
    loud = f"0.5*sin(2*PI*({rate // 4}*t+1/8))*lt(mod(t\\,1)\\,0.02)"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc=0.02*sin(2*PI*300*t)+{loud}:s={rate}:d=4", path)
    made = bench(path, gain_db=18.0)
    assert made.inspection.audio is not None
    assert made.plan.audio is not None
    argv = audio_command(
        made.ffmpeg.path,
        sources.of_file(path),
        made.inspection.audio,
        Stretch(made.grid, 0, made.grid.segment_count),
        made.plan.audio,
    )
    plain = {"aac": "pcm_f32le", "adts": "f32le", "pipe:1": str(given)}
    subprocess.run([plain.get(word, word) for word in argv], check=True, timeout=60)
    form = ["-f", "f32le", "-ac", "1"]
    ffmpeg(*form, "-ar", str(AUDIO_RATE), "-i", given, *form, "-ar", str(4 * AUDIO_RATE), finer)
    heard = array("f", finer.read_bytes())
    ceiling = 10 ** (CEILING_DB / 20)
    assert 0.97 * ceiling < max(map(abs, heard)) < 1.02 * ceiling


def test_frames_are_anchored_by_what_the_first_ones_last() -> None:
    lines = ["#tb 0: 1/44100", "0, 0, 0, 47, 1, x"]
    lines += [f"0, {n}, {47 + 1152 * n + n % 3}, 1152, 1, x" for n in range(15)]
    assert anchored("\n".join(lines)) == Anchor(length=1152, phase=47)


def test_frames_of_changing_length_have_no_anchor() -> None:
    lines = [f"0, 0, {n}, {128 if n % 2 else 1024}, 1, x" for n in range(16)]
    assert anchored("\n".join(lines)) is None
    assert anchored("0, 0, 0, 1024, 1, x") is None


def test_vorbis_is_read_in_one_go(ffmpeg: binary.FFmpeg, bench: Benches, tmp_path: Path) -> None:
    path = tmp_path / "vorbis.webm"
    from tests.footage import ffmpeg as run

    run("-f", "lavfi", "-i", f"aevalsrc='{CHIRP}':s=44100:d=3", "-c:a", "libvorbis", path)
    assert anchor_of(bench(path), path) is None
