"""The sample lecture's picture: slides at 1920x1080 with real changes, as (seconds, image) steps.

New slides, bullets that appear one after another, a curve that is drawn while it is explained.
Only what changes is rendered; each image stands for its whole time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import pi, sin
from typing import Final

from PIL import Image, ImageDraw

from academy.demo.fonts import BOLD, Fonts

SIZE: Final = (1920, 1080)
PAPER: Final = (250, 250, 247)
INK: Final = (28, 34, 48)
SOFT: Final = (110, 118, 134)
ACCENT: Final = (214, 84, 24)
SECOND: Final = (24, 104, 168)
CURVE_STEPS: Final = 48
CURVE_SECONDS: Final = 9.6


@dataclass(frozen=True, slots=True)
class Slide:
    """`points` appear one after another, each for `pace` seconds; the last stays `rest` longer."""

    title: str
    subtitle: str
    points: list[tuple[str, str]] = field(default_factory=list)
    """(Chinese, English)."""
    pace: float = 3.6
    rest: float = 1.2
    curve: bool = False


LECTURE: Final = [
    Slide(
        "云计算基础", "Foundations of Cloud Computing · Lecture 1 · 示例 demo", pace=5.0, rest=0.0
    ),
    Slide(
        "今天的三个问题",
        "Three questions for today",
        [
            ("负载为什么会变化？", "Why does load change?"),
            ("机器为什么跟不上？", "Why do machines not follow?"),
            ("什么是弹性？", "What is elasticity?"),
        ],
    ),
    Slide(
        "负载每小时都在变化",
        "Load changes every hour",
        [
            ("白天与夜晚相差五倍", "Day and night differ five times"),
            ("选课日会突然出现高峰", "Enrolment day brings a sudden peak"),
        ],
    ),
    Slide("需求与容量", "Demand and capacity", curve=True),
    Slide(
        "弹性 = 容量跟随需求",
        "Elasticity: capacity follows demand",
        [
            ("扩容要快：几十秒，而不是几周", "Grow fast: seconds, not weeks"),
            ("缩容要稳：不丢失任何请求", "Shrink gently: lose no request"),
            ("付费只按实际使用", "Pay only for what is used"),
        ],
    ),
    Slide(
        "练习",
        "Exercise",
        [
            ("峰值 1200 次/秒，一台机器 80 次/秒", "Peak 1,200 per second, one machine 80"),
            ("需要多少台？夜间可以关掉多少台？", "How many machines? How many can rest at night?"),
        ],
        pace=4.4,
        rest=2.4,
    ),
    Slide("谢谢", "Thank you · next: capacity and queues", pace=4.0, rest=0.0),
]


def steps(fonts: Fonts, lecture: Sequence[Slide] = LECTURE) -> Iterator[tuple[float, Image.Image]]:
    """Every picture of the lecture with the seconds it stays."""
    for number, slide in enumerate(lecture, start=1):
        page = f"{number} / {len(lecture)}"
        for seconds, shown, drawn in timing(slide):
            yield seconds, _render(fonts, slide, page, shown, drawn)


def timing(slide: Slide) -> Iterator[tuple[float, int, int]]:
    """(seconds, points shown, steps of the curve drawn) of each picture of a slide."""
    if slide.curve:
        yield 1.6, 0, 0
        for drawn in range(1, CURVE_STEPS + 1):
            yield CURVE_SECONDS / CURVE_STEPS, 0, drawn
        yield 2.4, 0, CURVE_STEPS
        return
    if slide.points:
        yield 1.6, 0, 0
    for shown in range(1, len(slide.points) + 1):
        yield slide.pace + (slide.rest if shown == len(slide.points) else 0.0), shown, 0
    if not slide.points:
        yield slide.pace, 0, 0


def duration(lecture: Sequence[Slide] = LECTURE) -> float:
    """Seconds."""
    return sum(seconds for slide in lecture for seconds, _, _ in timing(slide))


def _render(fonts: Fonts, slide: Slide, page: str, shown: int, drawn: int) -> Image.Image:
    image = Image.new("RGB", SIZE, PAPER)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, 24, SIZE[1]), fill=ACCENT)
    plain = not slide.points and not slide.curve
    top = 480 if plain else 190
    fonts.draw(canvas, (150, top), slide.title, size=112 if plain else 84, colour=INK, weight=BOLD)
    fonts.draw(canvas, (154, top + (96 if plain else 76)), slide.subtitle, size=44, colour=SOFT)
    for place, (chinese, english) in enumerate(slide.points[:shown]):
        y = 460 + place * 190
        canvas.ellipse((156, y - 38, 184, y - 10), fill=ACCENT)
        fonts.draw(canvas, (220, y), chinese, size=60, colour=INK)
        fonts.draw(canvas, (222, y + 62), english, size=38, colour=SECOND)
    if slide.curve:
        _draw_curve(canvas, fonts, drawn)
    fonts.draw(canvas, (150, 1030), "阿里云大学合作计划 · 示例", size=30, colour=SOFT)
    fonts.draw(canvas, (1760, 1030), page, size=30, colour=SOFT)
    return image


def _draw_curve(canvas: ImageDraw.ImageDraw, fonts: Fonts, drawn: int) -> None:
    left, right, bottom, top = 220, 1760, 930, 360
    canvas.line((left, top, left, bottom, right, bottom), fill=SOFT, width=4)
    fonts.draw(canvas, (right - 150, bottom + 48), "时间 time", size=34, colour=SOFT)
    width = (right - left) / CURVE_STEPS
    points: list[tuple[float, float]] = []
    for step in range(drawn + 1):
        x = left + step * width
        height = _demand(step / CURVE_STEPS)
        points.append((x, bottom - height * (bottom - top)))
        if step < drawn:
            machines = -(-int(height * 100 + 12) // 12)
            ceiling = bottom - machines * 12 / 100 * (bottom - top)
            canvas.rectangle((x + 3, ceiling, x + width - 3, bottom), fill=(222, 234, 244))
            canvas.line((x, ceiling, x + width, ceiling), fill=SECOND, width=5)
    canvas.line(points, fill=ACCENT, width=8, joint="curve")
    if drawn > CURVE_STEPS // 3:
        fonts.draw(canvas, (left + 40, top + 10), "容量 capacity", size=40, colour=SECOND)
        fonts.draw(canvas, (left + 40, top + 70), "需求 demand", size=40, colour=ACCENT)


def _demand(time: float) -> float:
    """Share of the axis, 0..1, at a time of day 0..1."""
    return 0.36 + 0.24 * sin(2 * pi * (time - 0.3)) + 0.14 * sin(6 * pi * time)
