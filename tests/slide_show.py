"""Slides with known times: new ones, bullets that build up, code that scrolls, a pointer, a moving inset.

`draw(seed)` decides everything from its seed; `film(show, path)` encodes it. Only what `Show.slides` names is a
new slide; all else that changes is there to mislead.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.footage import ffmpeg_path

SIZE = (640, 360)
RATE = 10
WORDS = [
    "cloud",
    "queue",
    "lease",
    "shard",
    "index",
    "cache",
    "batch",
    "stream",
    "gradient",
    "kernel",
    "vector",
    "latency",
    "replica",
    "commit",
    "metric",
    "branch",
    "worker",
    "socket",
    "packet",
    "schema",
    "cursor",
    "token",
    "bucket",
    "proxy",
    "mutex",
    "thread",
    "buffer",
]


@dataclass
class Show:
    """`pictures`: (seconds, picture) steps. `slides`: when new slides appear, the first left out."""

    seed: int
    pictures: list[tuple[float, Image.Image]] = field(default_factory=list)
    slides: list[float] = field(default_factory=list)
    inset: bool = True
    pointer: bool = True

    @property
    def duration(self) -> float:
        return sum(seconds for seconds, _ in self.pictures)

    def add(self, seconds: float, picture: Image.Image) -> None:
        self.pictures.append((seconds, picture))


def draw(seed: int, *, slides: int = 8, longest: float = 9.0) -> Show:
    dice = random.Random(seed)
    show = Show(seed, inset=dice.random() < 0.7, pointer=dice.random() < 0.7)
    look = Template(dice)
    kinds = ["bullets", "bullets", "code", "picture", "plain", "sparse"]
    for number in range(slides):
        kind = dice.choice(kinds)
        if number:
            show.slides.append(show.duration)
        length = round(dice.uniform(4.0, longest), 1)
        if kind == "bullets":
            _bullets(show, look, dice, length)
        elif kind == "code":
            _code(show, look, dice, length)
        elif kind == "picture":
            show.add(length, look.photo(dice))
        elif kind == "sparse":
            show.add(length, look.page(_words(dice, 2), []))
        else:
            show.add(length, look.page(_words(dice, 3), [_words(dice, 6) for _ in range(5)]))
    return show


class Template:
    """What all slides of a show share: colours, a bar, a footer."""

    def __init__(self, dice: random.Random) -> None:
        dark = dice.random() < 0.3
        self.paper = (24, 28, 38) if dark else tuple(dice.randrange(235, 256) for _ in range(3))
        self.ink = (236, 236, 230) if dark else (28, 34, 48)
        self.bar = tuple(dice.randrange(30, 220) for _ in range(3))
        self.footer = _words(dice, 3)

    def page(self, title: str, lines: list[str]) -> Image.Image:
        image = Image.new("RGB", SIZE, self.paper)
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, 0, 12, SIZE[1]), fill=self.bar)
        pen.text((40, 20), title, font=_font(34), fill=self.ink)
        for row, line in enumerate(lines):
            pen.ellipse((44, 98 + 40 * row, 52, 106 + 40 * row), fill=self.bar)
            pen.text((66, 90 + 40 * row), line, font=_font(19), fill=self.ink)
        pen.text((40, 336), self.footer, font=_font(11), fill=self.ink)
        return image

    def photo(self, dice: random.Random) -> Image.Image:
        image = self.page(_words(dice, 2), [])
        spots = Image.frombytes("RGB", (24, 14), dice.randbytes(24 * 14 * 3))
        image.paste(spots.resize((480, 230), Image.Resampling.BICUBIC), (80, 90))
        return image

    def listing(self, title: str, lines: list[str], above: int) -> Image.Image:
        """Code of which the first `above` pixels have scrolled away, under a title that stays."""
        image = self.page(title, [])
        tall = Image.new("RGB", (560, 18 * len(lines)), self.paper)
        pen = ImageDraw.Draw(tall)
        for row, line in enumerate(lines):
            pen.text((16 * (row % 4), 18 * row), line, font=_font(14), fill=self.ink)
        image.paste(tall.crop((0, above, 560, above + 240)), (50, 85))
        return image


def _bullets(show: Show, look: Template, dice: random.Random, length: float) -> None:
    title, lines = _words(dice, 3), [_words(dice, 5) for _ in range(dice.randrange(3, 6))]
    for shown in range(1, len(lines) + 1):
        show.add(round(length / len(lines), 1), look.page(title, lines[:shown]))


def _code(show: Show, look: Template, dice: random.Random, length: float) -> None:
    """Stands, scrolls smoothly or by jerks, stands."""
    title, lines = _words(dice, 2), [_words(dice, dice.randrange(2, 6)) for _ in range(60)]
    smooth, above = dice.random() < 0.5, 0
    show.add(2.0, look.listing(title, lines, 0))
    steps = int(length * (RATE if smooth else 2))
    for _ in range(steps):
        above += dice.randrange(3, 6) if smooth else 54
        above = min(above, 18 * len(lines) - 240)
        show.add(1 / RATE if smooth else 0.5, look.listing(title, lines, above))
    show.add(2.0, look.listing(title, lines, above))


def frames(show: Show) -> Iterator[Image.Image]:
    dice = random.Random(show.seed + 1)
    number, end = 0, 0.0
    for seconds, picture in show.pictures:
        end += seconds
        while number < round(end * RATE):
            yield _alive(show, picture, number / RATE, dice)
            number += 1


def _alive(show: Show, picture: Image.Image, time: float, dice: random.Random) -> Image.Image:
    image = picture.copy()
    if show.inset:
        noise = Image.frombytes("RGB", (20, 15), dice.randbytes(900))
        image.paste(noise.resize((120, 90), Image.Resampling.BICUBIC), (510, 260))
    if show.pointer:
        x, y = 300 + 180 * sin(time * 0.7), 180 + 90 * sin(time * 0.9)
        ImageDraw.Draw(image).ellipse((x, y, x + 9, y + 9), fill=(230, 40, 40))
    return image


def film(show: Show, path: Path, *, segment: int = 4, crf: int = 23) -> Path:
    """Fragmented as a rendition is: a keyframe and a fragment every `segment` seconds."""
    keys = str(segment * RATE)
    flags = "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"
    command = [
        *(ffmpeg_path(), "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(RATE), "-i", "pipe:0", "-c:v", "libx264"),
        *("-preset", "veryfast", "-crf", str(crf), "-threads", "1", "-pix_fmt", "yuv420p"),
        *("-g", keys, "-keyint_min", keys, "-sc_threshold", "0", "-movflags", flags, str(path)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for image in frames(show):
            encoder.stdin.write(image.tobytes())
        encoder.stdin.close()
        assert encoder.wait(timeout=120) == 0
    return path


def _words(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(count)).capitalize()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
