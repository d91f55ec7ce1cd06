"""Looking at real recordings: which kind they are, what repeats in them, and that looking never fails."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from academy.recordings import Inspection
from tests.fixtures_footage import Footage
from tests.footage import H264, ffmpeg
from transcoding import sources
from transcoding.binary import FFmpeg
from transcoding.complexity import Content
from transcoding.probe import inspect
from transcoding.sampling import look, share, starts

SIZES = [720, 360]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sampling")


def seen(path: Path, program: FFmpeg) -> Content | None:
    source = sources.of_file(path)
    return look(program.path, source, inspect(source, filename=path.name), SIZES)


def filmed(path: Path, *, scale: str = "null", rate: int = 30, shown: int = 30) -> Path:
    """Soft shapes that move all the time."""
    pictures = f"mandelbrot=s=960x540:r={shown}:end_scale=0.05:maxiter=100,trim=end={40 / shown}"
    blurred = f"{pictures},gblur=sigma=2,{scale},fps={rate},format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", blurred, *H264, "-crf", "16", path)
    return path


def page(path: Path) -> Path:
    """Small text on paper, standing still."""
    image = Image.new("RGB", (1280, 720), (250, 250, 247))
    canvas = ImageDraw.Draw(image)
    for row in range(16):
        text = f"{row + 1}. Elastic load, queues and replicas follow demand within seconds"
        canvas.text((60, 30 + 42 * row), text, font=ImageFont.load_default(24), fill=(28, 34, 48))
    still = path.with_suffix(".png")
    image.save(still)
    ffmpeg("-loop", "1", "-r", "60", "-i", still, "-t", "1", *H264, "-crf", "16", path)
    return path


def test_a_page_of_text_is_drawn_and_needs_no_sixty_frames(folder: Path, ffmpeg: FFmpeg) -> None:
    content = seen(page(folder / "page.mp4"), ffmpeg)
    assert content is not None
    assert content.drawn
    assert content.moving == 0
    assert content.frame_rate == 30
    assert not content.alike(360)


def test_soft_moving_shapes_are_filmed(folder: Path, ffmpeg: FFmpeg) -> None:
    content = seen(filmed(folder / "filmed.mp4"), ffmpeg)
    assert content is not None
    assert not content.drawn
    assert content.moving > 0.01
    assert content.frame_rate == 30
    assert content.picture_seconds > 0


def test_pictures_recorded_twice_are_noticed_although_each_was_encoded_anew(
    folder: Path, ffmpeg: FFmpeg
) -> None:
    content = seen(filmed(folder / "twice.mp4", rate=60), ffmpeg)
    assert content is not None
    assert content.rate == 60
    assert content.frame_rate == 30


def test_an_enlarged_recording_loses_nothing_at_its_former_size(
    folder: Path, ffmpeg: FFmpeg
) -> None:
    enlarged = filmed(folder / "enlarged.mp4", scale="scale=480:270,scale=1280:720:flags=bicubic")
    content = seen(enlarged, ffmpeg)
    assert content is not None
    assert content.alike(360)


def test_four_stretches_are_spread_over_a_long_recording() -> None:
    assert starts(Inspection(container="mp4", size=1, duration=7200)) == [0.0, 2700, 4500, 6300]
    assert starts(Inspection(container="mp4", size=1, duration=7.9)) == [0.0]


def test_a_stretch_that_cannot_be_read_is_left_out(footage: Footage, ffmpeg: FFmpeg) -> None:
    # Its second half is zeros: later stretches find no picture.
    content = seen(footage("zero_tail", share=0.4), ffmpeg)
    assert content is not None
    assert len(content.samples) == 1


def test_one_picture_in_ten_seconds_and_one_alone_are_enough(
    footage: Footage, ffmpeg: FFmpeg
) -> None:
    for kind in ("slides", "still"):
        content = seen(footage(kind), ffmpeg)
        assert content is not None
        assert content.frame_rate == content.rate
        assert content.samples[0].sizes


def test_sound_alone_is_not_looked_at(footage: Footage, ffmpeg: FFmpeg) -> None:
    assert seen(footage("audio_only"), ffmpeg) is None


def test_a_source_that_fails_altogether_gives_no_samples(tmp_path: Path, ffmpeg: FFmpeg) -> None:
    real = filmed(tmp_path / "real.mp4")
    inspection = inspect(sources.of_file(real), filename="real.mp4")
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(bytes(5000))
    assert look(ffmpeg.path, sources.of_file(empty), inspection, SIZES) is None


def test_shares_count_pixels_by_how_much_they_differ() -> None:
    assert share(bytes([0, 2, 3, 16, 255]), 3) == pytest.approx(3 / 5)
    assert share(b"", 3) == 0
    assert Fraction(share(bytes(range(256)), 128)) == Fraction(1, 2)
