"""Whatever instructors upload: one table of odd recordings, each with what must become of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import m3u8
import pytest
from PIL import Image

from academy.errors import RejectedMedia
from tests.encoder import encoder
from tests.fixtures_transcoding import decoded, samples
from tests.odd_kind import ODD, Odd, full_size
from tests.odd_recorders import ANY_SIZE
from transcoding.binary import LATE
from transcoding.local import transcode_file

pytestmark = pytest.mark.real

# `make test` has one of each kind; the slow tests have them all.
QUICK = (
    "turned",
    "odd_size",
    "anamorphic",
    "yuv422p10le",
    "rgb",
    "hdr10",
    "interlaced",
    "5 fps",
    "30000/1001 fps",
    "variable",
    "one frame",
    "start offset",
    "late picture",
    "shorter sound",
    "no sound",
    "cover art",
    "5.1",
    "one-sided",
    "eight mono tracks",
    "no duration in the header",
    "truncated",
    "damaged in the middle",
    "transport stream",
    "late picture in a transport stream",
    "fragments without edit lists",
    "cameras' files end to end",
)
BROKEN_OFF = ("truncated",)
SAMPLE = 1 / 48_000
LOUD = 0.08


class Outcome:
    """What came out, decoded."""

    def __init__(self, out: Path, summary: dict[str, Any]) -> None:
        self.out, self.summary = out, summary
        self.rungs = [each for each in summary["renditions"] if each["height"]]
        self.sounds = [each for each in summary["renditions"] if not each["height"]]
        self.codes = {finding["code"] for finding in summary["findings"]}

    def joined(self, track: str) -> bytes:
        # The last revision has what the first pass left out.
        folder = (self.out / self.summary["hls"]).parent
        loaded = m3u8.load(str(folder / f"{track}.m3u8"))
        names = [loaded.segment_map[0].uri, *(segment.uri for segment in loaded.segments)]
        return b"".join((folder / name).resolve().read_bytes() for name in names)

    def frames(self, rung: dict[str, Any]) -> list[tuple[float, Image.Image]]:
        found = decoded(self.joined(rung["id"]), "video")
        first = found[0].time
        return [(frame.time - first, frame.to_image()) for frame in found]

    def sound(self) -> list[Any]:
        return samples(self.joined(self.sounds[0]["id"]))


def flashes(frames: list[tuple[float, Image.Image]]) -> list[float]:
    """When the left half turns white."""
    lit = [(time, brightness(picture) > 128) for time, picture in frames]
    rising = [later[0] for earlier, later in pairwise(lit) if later[1] and not earlier[1]]
    return ([lit[0][0]] if lit[0][1] else []) + rising


def brightness(picture: Image.Image) -> float:
    width, height = picture.size
    left = picture.convert("L").crop((width // 8, height // 4, width * 3 // 8, height * 3 // 4))
    return left.resize((1, 1), Image.Resampling.BOX).tobytes()[0]


def beeps(channel: Any) -> list[float]:
    """When sound begins after at least 50 ms of silence, to the millisecond."""
    found: list[float] = []
    last = -1.0
    for at, value in enumerate(channel):
        if abs(value) > LOUD:
            now = at * SAMPLE
            if now - last > 0.05:
                found.append(now)
            last = now
    return found


def colour(picture: Image.Image, x: float, y: float) -> tuple[int, int, int]:
    width, height = picture.size
    red, green, blue = picture.convert("RGB").getpixel((int(width * x), int(height * y)))  # type: ignore[misc]
    return red, green, blue


def is_red(colour: tuple[int, int, int]) -> bool:
    return colour[0] > 140 and colour[1] < 90 and colour[2] < 90


def is_blue(colour: tuple[int, int, int]) -> bool:
    return colour[2] > 140 and colour[1] < 90 and colour[0] < 90


async def become(odd: Odd, folder: Path, profile: str) -> Outcome:
    path = folder / f"lecture{odd.suffix}"
    odd.make(path, odd.beacon)
    out = folder / "out"
    # As on the portal: the first chunks are single segments, so that even two seconds have seams.
    made = await transcode_file(path, out, profile=profile, workers=1, watched=True)
    return Outcome(out, made)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ODD],
)
async def test_every_recording_becomes_what_it_should(
    name: str, tmp_path: Path, brief_file: str
) -> None:
    await check(ODD[name], tmp_path, brief_file)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name in ODD if name in ANY_SIZE])
async def test_every_recording_of_full_size_becomes_what_it_should(
    name: str, tmp_path: Path
) -> None:
    odd = full_size(ODD[name])
    await check(odd, tmp_path, "default")


async def check(odd: Odd, folder: Path, profile: str) -> None:
    if odd.refused is not None:
        with pytest.raises(RejectedMedia) as refused:
            await become(odd, folder, profile)
        assert refused.value.code == odd.refused
        return
    made = await become(odd, folder, profile)
    assert made.codes - {"low_resolution"} == odd.codes
    pictures = check_pictures(odd, made)
    check_sound(odd, made, flashes(pictures) if pictures else None)


def check_pictures(odd: Odd, made: Outcome) -> list[tuple[float, Image.Image]]:
    if not made.rungs:
        assert odd.frames is None
        return []
    best = made.rungs[0]
    # Encoders want even numbers; odd ones lose a pixel or two.
    assert abs(best["width"] - odd.size[0]) <= 2
    assert abs(best["height"] - odd.size[1]) <= 2
    every = [made.frames(rung) for rung in made.rungs]
    expected = odd.frames or round(made.summary["duration"] * best["frame_rate"])
    assert [len(frames) for frames in every] == [expected] * len(every)
    for frames in every:
        # Evenly spaced, whatever the source's times were.
        steps = {round((b - a) * best["frame_rate"], 2) for (a, _), (b, _) in pairwise(frames)}
        assert steps <= {1.0}
    shown = every[0][len(every[0]) // 2][1]
    if odd.red_above is not None:
        assert is_red(colour(shown, 0.75, 0.3)), colour(shown, 0.75, 0.3)
        assert is_blue(colour(shown, 0.9, 0.9)), colour(shown, 0.9, 0.9)
    return every[0]


def check_sound(odd: Odd, made: Outcome, seen: list[float] | None) -> None:
    if odd.channels is None:
        assert made.sounds == []
        return
    channels = made.sound()
    assert len(channels) == odd.channels
    # As long as the picture, to the access unit.
    assert abs(len(channels[0]) * SAMPLE - made.summary["duration"]) < 0.022
    heard = beeps(channels[0])
    if odd.name in BROKEN_OFF:
        # Nobody knows where it ends; up to there each flash has its beep.
        assert seen
        assert len(seen) >= 4
        assert len(heard) >= len(seen)
        assert heard[: len(seen)] == pytest.approx(seen, abs=0.020)
    elif odd.together:
        # A unit of sound.
        late = 0.022 if LATE in encoder().lacking else 0.0
        coincide(odd, heard, odd.heard(odd.beacon), max(0.020, late))
        if seen is not None:
            frame = 1 / made.rungs[0]["frame_rate"]
            # A picture may wait for the next frame.
            coincide(odd, seen, odd.seen(odd.beacon), max(0.020, frame / 2 + 0.001 + late))
            common = sorted(set(odd.heard(odd.beacon)) & set(odd.seen(odd.beacon)))
            for time in common if odd.steady else (common[0], common[-1]):
                apart = nearest(heard, time) - nearest(seen, time)
                assert abs(apart) < 0.020, (time, apart)


def nearest(found: list[float], time: float) -> float:
    return min(found, key=lambda each: abs(each - time))


def coincide(odd: Odd, found: list[float], expected: list[float], apart: float) -> None:
    if odd.steady:
        assert found == pytest.approx(expected, abs=apart)
    else:
        assert len(found) > 1
        assert [found[0], found[-1]] == pytest.approx([expected[0], expected[-1]], abs=apart)
