"""New slides found in generated shows with known times; bullets, scrolling, pointers and insets mislead."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from academy.media import INIT, Grid, VideoRendition
from academy.recordings import Ratio
from tests import slide_show
from tests.footage import ffmpeg
from tests.slide_show import Show
from transcoding import boxes
from transcoding.chapters import MOST_CHAPTERS, slide_times, spans, title
from transcoding.fragments import FragmentReader
from transcoding.mp4 import Fragment
from transcoding.reel import Reel
from transcoding.slides import restless, runs

pytestmark = pytest.mark.real

CLOSE = 0.5
"""Seconds between a slide's true time and the one found."""
TUNED_ON = range(1, 9)
"""Seeds that were looked at while the method was made: none of these is used below."""
FLAGS = "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"


@dataclass(frozen=True)
class Filmed:
    """A fragmented file as `reel.Segments`."""

    init: bytes
    fragments: list[Fragment]

    @classmethod
    def of(cls, path: Path) -> Filmed:
        reader = FragmentReader()
        fragments = list(reader.feed(path.read_bytes()))
        assert reader.init is not None
        return cls(reader.init, fragments)

    def whole(self, track: str, number: int) -> bytes:
        return self.init if number == INIT else self.fragments[number].data

    def key(self, track: str, number: int) -> bytes:
        fragment = self.fragments[number]
        return fragment.data[: fragment.key_bytes]

    def reel(self, rate: int, size: tuple[int, int] = slide_show.SIZE) -> Reel:
        grid = Grid(
            frame_rate=Ratio(num=rate),
            segment_frames=4 * rate,
            frames=sum(fragment.samples for fragment in self.fragments),
        )
        rung = VideoRendition(
            id="v360",
            width=size[0],
            height=size[1],
            preset="veryfast",
            crf=23,
            max_rate=1,
            buffer=1,
            profile="high",
            level="3.0",
        )
        return Reel(grid, rung, self)


def found_in(show: Show, folder: Path) -> list[float]:
    path = slide_show.film(show, folder / f"{show.seed}.mp4")
    times = slide_times(Filmed.of(path).reel(slide_show.RATE))
    path.unlink()
    return times


def scores(pairs: Iterable[tuple[list[float], list[float]]]) -> tuple[float, float]:
    """(precision, recall) of (true, found) times."""
    hits = false = missed = 0
    for true, found in pairs:
        left = list(found)
        for time in true:
            near = [each for each in left if abs(each - time) <= CLOSE]
            if near:
                left.remove(min(near, key=lambda each, time=time: abs(each - time)))  # type: ignore[misc]
            hits, missed = hits + bool(near), missed + (not near)
        false += len(left)
    return hits / (hits + false), hits / (hits + missed)


def test_slides_are_found_in_shows_that_nothing_was_tuned_on(tmp_path: Path) -> None:
    shows = [slide_show.draw(seed, slides=7, longest=5.0) for seed in (20260, 31)]
    precision, recall = scores((show.slides, found_in(show, tmp_path)) for show in shows)
    assert precision >= 0.9
    assert recall >= 0.9


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_slides_are_found_in_many_and_in_long_shows(tmp_path: Path) -> None:
    shows = [slide_show.draw(seed) for seed in range(9000, 9012)]
    # Long enough to be looked at twice: from afar, then closely where something changed.
    shows += [slide_show.draw(seed, slides=40, longest=25.0) for seed in (9100, 9101)]
    precision, recall = scores((show.slides, found_in(show, tmp_path)) for show in shows)
    assert precision >= 0.9
    assert recall >= 0.9


def test_a_camera_that_wanders_shows_no_slides(tmp_path: Path) -> None:
    path = tmp_path / "camera.mp4"
    scene = "mandelbrot=s=320x180:r=10:end_scale=0.01:end_pts=300,noise=alls=12:allf=t"
    keys = ["-g", "40", "-keyint_min", "40", "-sc_threshold", "0", "-movflags", FLAGS]
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", scene, "-t", "16", *encoder, *keys, path)
    reel = Filmed.of(path).reel(10, (320, 180))
    assert spans(slide_times(reel), float(reel.grid.duration)) == []


def test_the_beginning_of_a_segment_is_enough_for_its_first_picture(tmp_path: Path) -> None:
    show = slide_show.draw(31, slides=2)
    filmed = Filmed.of(slide_show.film(show, tmp_path / "short.mp4"))
    reel = filmed.reel(slide_show.RATE)
    for number, fragment in enumerate(filmed.fragments):
        assert fragment.key_bytes < len(fragment.data)
        (moof, mdat) = boxes.boxes(fragment.data)
        assert moof.end < fragment.key_bytes <= mdat.end
        first = reel.first(number, (160, 90))
        same = reel.at(float(reel.grid.start(number)), (160, 90))
        assert first.tobytes() == same.tobytes()


@pytest.mark.parametrize(
    ("times", "duration", "expected"),
    [
        ([], 60.0, []),
        ([20.0, 40.0], 60.0, [(0.0, 20.0), (20.0, 40.0), (40.0, 60.0)]),
        # A slide passed over belongs to nobody; the first one begins at 0 whatever came before.
        ([20.0, 21.0], 60.0, [(0.0, 21.0), (21.0, 60.0)]),
        ([1.0, 30.0], 60.0, [(0.0, 30.0), (30.0, 60.0)]),
        ([30.0, 58.5], 60.0, [(0.0, 30.0), (30.0, 60.0)]),
        ([59.0], 60.0, []),
        ([4.0 * n for n in range(1, MOST_CHAPTERS + 5)], 4.0 * MOST_CHAPTERS + 99, []),
    ],
)
def test_chapters_lie_between_slides(
    times: list[float], duration: float, expected: list[tuple[float, float]]
) -> None:
    assert spans(times, duration) == expected


def test_only_new_slides_are_looked_at_closely_beside_a_speaker_who_pauses() -> None:
    dice, across, down = random.Random(4), 32, 18
    new = {13, 29, 47}

    def pair(at: int) -> bytes:
        speaker, slide = at in new or dice.random() < 0.6, at in new
        return bytes(
            (slide and 2 <= x < 24) or (speaker and x >= 26 and y >= 11)
            for y in range(down)
            for x in range(across)
        )

    closely = set(restless([pair(at) for at in range(60)]))
    assert new <= closely
    assert len(closely - new) <= 3


def test_bullets_that_appear_one_after_another_are_looked_at() -> None:
    def pair(at: int) -> bytes:
        return bytes(
            at % 3 == 0 and y == 3 + at // 3 % 6 and x < 20 for y in range(18) for x in range(32)
        )

    assert restless([pair(at) for at in range(60)]) == list(range(0, 60, 3))


def test_neighbours_are_looked_at_together() -> None:
    assert list(runs([])) == []
    assert list(runs([3])) == [(3, 3)]
    assert list(runs([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]


def test_chapters_have_a_name_in_three_languages() -> None:
    assert title(3) == {"zh": "第 3 页", "en": "Slide 3", "fr": "Diapositive 3"}
