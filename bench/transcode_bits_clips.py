"""Recordings for the bit-rate benchmarks: slides with a speaker, scrolling code, a camera, and one by seed.

Drawn with Pillow's own font and ffmpeg's generators, encoded once at a quality far above any rung, as
recorders do: that file is both what the pipeline gets and what quality is measured against.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SIZE: Final = (1920, 1080)
RATE: Final = 30
RECORDED: Final = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-pix_fmt", "yuv420p"]
TAGS: Final = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
WORDS: Final = [
    "elastic",
    "load",
    "queue",
    "worker",
    "replica",
    "shard",
    "lease",
    "index",
    "vector",
    "kernel",
    "matrix",
    "gradient",
    "sample",
    "batch",
    "latency",
    "throughput",
    "cache",
    "commit",
    "merge",
    "branch",
    "deploy",
    "rollback",
    "metric",
    "trace",
    "alert",
    "budget",
]
DRAWING_LIMIT: Final = 300
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    path: Path
    seconds: float


def slides(
    folder: Path, ffmpeg: str, *, seconds: float = 8, seed: int = 1, every: float = 2
) -> Clip:
    """Slides whose bullets appear one after another, each `every` so many seconds, and a noisy speaker
    in a corner.
    """
    dice = random.Random(seed)
    steps = max(2, round(seconds / every))
    paper = tuple(dice.randrange(225, 256) for _ in range(3))
    lines = [_sentence(dice, 4, 7) for _ in range(7)]
    script = ["ffconcat version 1.0"]
    for step in range(steps):
        image = Image.new("RGB", SIZE, paper)
        canvas = ImageDraw.Draw(image)
        canvas.rectangle((0, 0, 24, SIZE[1]), fill=(214, 84, 24))
        canvas.text((120, 90), lines[0].title(), font=_font(84), fill=(28, 34, 48))
        for row, line in enumerate(lines[1 : 2 + step % 6]):
            y = 300 + row * 110
            canvas.ellipse((128, y + 14, 152, y + 38), fill=(214, 84, 24))
            canvas.text((190, y), line, font=_font(52), fill=(28, 34, 48))
            canvas.text((190, y + 62), _sentence(dice, 6, 9), font=_font(24), fill=(24, 104, 168))
        name = f"slide-{seed}-{step}.png"
        image.save(folder / name, compress_level=1)
        script += [f"file {name}", f"duration {seconds / steps:.6f}"]
    script.append(f"file slide-{seed}-{steps - 1}.png")
    listing = folder / f"slides-{seed}.ffconcat"
    listing.write_text("\n".join(script) + "\n")
    speaker = f"{_texture(dice, 700, 500)},crop=400:300:'150+60*sin(1.7*t)':'100+40*sin(2.3*t)'"
    graph = (
        f"[0:v]fps={RATE},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[s];"
        f"{speaker},noise=alls=8:allf=t,format=yuv420p[p];[s][p]overlay=1480:740"
    )
    return _record(
        folder, ffmpeg, f"slides-{seed}", seconds, ["-f", "concat", "-i", str(listing)], graph
    )


def code(folder: Path, ffmpeg: str, *, seconds: float = 8, seed: int = 1) -> Clip:
    """A dark editor: small coloured text that scrolls in steps, then steadily, then stands still."""
    dice = random.Random(seed)
    size = dice.choice((22, 24, 26))
    step = round(size * 1.4)
    image = Image.new("RGB", (SIZE[0], SIZE[1] * 3), (30, 31, 41))
    canvas = ImageDraw.Draw(image)
    colours = [(198, 208, 245), (166, 209, 137), (239, 159, 118), (140, 170, 238), (148, 156, 187)]
    for row in range(image.height // step):
        x = 90.0 + 48 * dice.randrange(5)
        canvas.text((16, row * step), f"{row + 1:4}", font=_font(size), fill=(98, 104, 128))
        for word in _sentence(dice, 2, 9).split():
            shown = word + dice.choice(("", "", "(", ")", ":", " =", "."))
            canvas.text((x, row * step), shown, font=_font(size), fill=dice.choice(colours))
            x += canvas.textlength(shown + " ", font=_font(size))
    name = folder / f"code-{seed}.png"
    image.save(name, compress_level=1)
    third = seconds / 3
    y = (
        f"if(lt(t,{third}),{3 * step}*floor(t*2),"
        f"if(lt(t,{2 * third}),{3 * step}*floor({third}*2)+{4 * step}*(t-{third}),"
        f"{3 * step}*floor({third}*2)+{4 * step}*{third}))"
    )
    graph = (
        f"[0:v]fps={RATE},crop={SIZE[0]}:{SIZE[1]}:0:'{y}',"
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    )
    still = ["-loop", "1", "-framerate", str(RATE), "-i", str(name)]
    return _record(folder, ffmpeg, f"code-{seed}", seconds, still, graph)


def camera(folder: Path, ffmpeg: str, *, seconds: float = 8, seed: int = 1, grain: int = 3) -> Clip:
    """A room of soft and sharp texture, filmed by hand, with the grain of a sensor."""
    dice = random.Random(seed)
    a, b = dice.uniform(0.6, 1.6), dice.uniform(0.6, 1.6)
    graph = (
        f"{_texture(dice, 2300, 1300)}[room];"
        f"[room]crop={SIZE[0]}:{SIZE[1]}:'180+90*sin({a}*t)+40*sin(3.1*t)':"
        f"'100+60*sin({b}*t)+25*sin(2.7*t)'[seen];"
        f"{_texture(dice, 620, 760)},crop=520:700:'40+30*sin(1.3*t)':20[person];"
        "[seen][person]overlay='700+160*sin(0.9*t)':300,"
        f"noise=alls={grain}:allf=t,format=yuv420p"
    )
    return _record(folder, ffmpeg, f"camera-{seed}", seconds, [], graph)


def by_seed(folder: Path, ffmpeg: str, seed: int, *, seconds: float = 6) -> Clip:
    """Anything of the above, with other words, colours, speeds and grain."""
    dice = random.Random(seed)
    makers: list[Callable[[], Clip]] = [
        lambda: slides(folder, ffmpeg, seconds=seconds, seed=seed),
        lambda: code(folder, ffmpeg, seconds=seconds, seed=seed),
        lambda: camera(folder, ffmpeg, seconds=seconds, seed=seed, grain=dice.randrange(0, 6)),
    ]
    return dice.choice(makers)()


def _texture(dice: random.Random, width: int, height: int) -> str:
    """A still picture with edges and detail at every scale, as a filter chain without an input."""
    x, y = dice.uniform(-0.8, -0.7), dice.uniform(0.1, 0.3)
    scale = dice.uniform(0.2, 0.6)
    return (
        f"mandelbrot=s={width}x{height}:r={RATE}:start_x={x:.4f}:start_y={y:.4f}:"
        f"start_scale={scale:.3f}:end_scale={scale:.3f}:maxiter=400,"
        "trim=end_frame=1,gblur=sigma=1.2,eq=saturation=0.5:contrast=0.7,"
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
        # Drawn and softened once, then repeated.
        f"loop=-1:1,setpts=N/{RATE}/TB"
    )


def _record(
    folder: Path, ffmpeg: str, name: str, seconds: float, inputs: list[str], graph: str
) -> Clip:
    path = folder / f"{name}.mp4"
    length = ["-frames:v", str(round(seconds * RATE)), "-r", str(RATE)]
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", *inputs, "-filter_complex", graph]
    subprocess.run(
        [*command, *length, *RECORDED, "-g", "250", *TAGS, str(path)],
        check=True,
        timeout=DRAWING_LIMIT,
        cwd=folder,
    )
    return Clip(name.partition("-")[0], path, seconds)


def _sentence(dice: random.Random, least: int, most: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(least, most)))


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font
