"""Text of 24 pixels, through the ladder and back to the size at which it is read.

Legibility is measured as structural similarity (SSIM, 8x8 windows) on the windows that hold text, against
the rendered page: 1 is identical. What a mere reduction to that many lines leaves of it, without
any encoding, is the most that a rung of that size can show.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from academy.recordings import Inspection
from tests.footage import ffmpeg, ffmpeg_path
from transcoding import profiles, sources
from transcoding.binary import FFmpeg
from transcoding.commands import Span, video_command
from transcoding.ladder import grid_for, video_renditions
from transcoding.probe import inspect
from transcoding.sampling import look

SIZE = (1920, 1080)
LINES = 24
TEXT = "replica lease queue 0O 1lI {batch} shard->index; latency <= 250 ms"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of 24 lines of 24-pixel text, recorded as screens are."""
    folder = tmp_path_factory.mktemp("text")
    image = Image.new("RGB", SIZE, (250, 250, 247))
    canvas = ImageDraw.Draw(image)
    for row in range(LINES):
        dark = row % 2
        at = 60 + 40 * row
        if dark:
            canvas.rectangle((80, at - 4, 1500, at + 32), fill=(30, 31, 41))
        colour = (198, 208, 245) if dark else (28, 34, 48)
        canvas.text((100, at), TEXT, font=ImageFont.load_default(24), fill=colour)
    image.save(folder / "page.png")
    still = ["-loop", "1", "-r", "30", "-i", str(folder / "page.png"), "-t", "0.6"]
    recorded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-pix_fmt", "yuv420p"]
    ffmpeg(*still, *recorded, "-colorspace", "bt709", folder / "page.mp4")
    return folder / "page.mp4"


@pytest.fixture(scope="module")
def inspection(page: Path) -> Inspection:
    return inspect(sources.of_file(page), filename="page.mp4")


def luma(path: Path) -> bytes:
    """The last picture's brightness at reading size, scaled up as players do."""
    words = ["-v", "error", "-sseof", "-0.2", "-i", str(path)] if path.suffix == ".mp4" else []
    scale = f"scale={SIZE[0]}:{SIZE[1]}:flags=bicubic,format=gray"
    command = [ffmpeg_path(), *words, "-vf", scale, "-update", "1", "-frames:v", "1"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-"], capture_output=True, check=True, timeout=60
    )
    return done.stdout


def similarity(ours: bytes, page: bytes) -> float:
    """Mean SSIM (Wang et al. 2004) of brightness over windows of 8x8 pixels that hold text."""
    width, found = SIZE[0], []
    for row in range(LINES):
        for top in (60 + 40 * row + 4, 60 + 40 * row + 12):
            for left in range(100, 700, 24):
                windows = [
                    b"".join(
                        data[y * width + left : y * width + left + 8] for y in range(top, top + 8)
                    )
                    for data in (ours, page)
                ]
                if max(windows[1]) - min(windows[1]) > 40:
                    found.append(ssim(*windows))
    assert len(found) > 400
    return sum(found) / len(found)


def ssim(a: Sequence[int], b: Sequence[int]) -> float:
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    var_a = sum((x - mean_a) ** 2 for x in a) / (n - 1)
    var_b = sum((x - mean_b) ** 2 for x in b) / (n - 1)
    both = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True)) / (n - 1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    )


def encoded(
    page: Path, inspection: Inspection, program: FFmpeg, folder: Path, profile: str
) -> dict[str, Path]:
    """Every rung the pipeline would make of the page, by id, encoded by the pipeline's own command."""
    source, chosen = sources.of_file(page), profiles.load(profile)
    video = inspection.video
    assert video is not None
    content = look(program.path, source, inspection, [rung.size for rung in chosen.video])
    assert content is not None
    assert content.drawn
    grid = grid_for(inspection, chosen, content)
    rungs = video_renditions(video, chosen, grid.frame_rate.fraction, content)
    files = {rung.id: folder / f"{rung.id}.mp4" for rung in rungs}
    argv = video_command(program.path, source, video, Span(grid, 0, 1), files, rungs)
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    return files


def reduced(page: Path, lines: int) -> bytes:
    """What is left of the page by scaling alone."""
    width = lines * 16 // 9 // 2 * 2
    scale = f"scale={width}:{lines}:flags=lanczos,scale={SIZE[0]}:{SIZE[1]}:flags=bicubic"
    done = subprocess.run(
        [
            *(ffmpeg_path(), "-v", "error", "-i", str(page.with_suffix(".png"))),
            *("-vf", f"{scale},format=gray", "-frames:v", "1", "-f", "rawvideo", "-"),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def reference(page: Path) -> bytes:
    return Image.open(page.with_suffix(".png")).convert("L").tobytes()


@pytest.fixture(scope="module")
def seen(
    page: Path, inspection: Inspection, ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, float]:
    """Similarity by rung."""
    folder = tmp_path_factory.mktemp("rungs")
    files = encoded(page, inspection, ffmpeg, folder, "av1")
    return {name: similarity(luma(path), reference(page)) for name, path in files.items()}


def test_text_survives_at_1080_lines_as_it_was_written(seen: dict[str, float]) -> None:
    assert seen["v1080"] > 0.99
    assert seen["v1080av1"] > 0.99


def test_text_survives_at_720_lines_as_well_as_scaling_allows(
    page: Path, seen: dict[str, float]
) -> None:
    limit = similarity(reduced(page, 720), reference(page))
    assert seen["v720"] > 0.9
    assert seen["v720"] > 0.98 * limit


def test_there_is_no_rung_at_which_the_text_could_not_be_read(
    page: Path, seen: dict[str, float]
) -> None:
    assert {name.removesuffix("av1") for name in seen} == {"v1080", "v720"}
    # What 360 lines leave of it before any encoding; below about 0.8 words are guessed.
    assert similarity(reduced(page, 360), reference(page)) < 0.7
