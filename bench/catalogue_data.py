"""The data set of the benchmarks: 2,000 courses, 20,000 lectures, 200,000 caption cues. The same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import MongoClient

from academy.courses import Course, Lecture, Level, MediaReference, Programme, University
from academy.media import AudioRendition, Chunk, Grid, Media, MediaPlan, Publication, Rendition
from academy.mongo.client import to_document
from academy.mongo.courses import title_keys
from academy.people import Instructor
from academy.recordings import Ratio

SEED: Final = 20_260_101
COURSES: Final = 2_000
LECTURES_EACH: Final = 10
CUES_EACH: Final = 10
"""Of each lecture."""
BATCH: Final = 1_000
_FIRST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)

_VOCABULARY: Final = {
    "zh": (
        "云计算 数据科学 分布式系统 实时计算 机器学习 线性代数 概率论 信息熵 数据库 索引 事务 存储引擎 "
        "虚拟化 容器 编排 微服务 负载均衡 缓存 一致性 共识算法 流处理 批处理 数据仓库 特征工程 神经网络 "
        "决策树 聚类 回归 可视化 操作系统 网络协议 安全 加密 编译原理 图像识别 自然语言处理 推荐系统"
    ),
    "en": (
        "cloud computing data science distributed systems streaming machine learning algebra probability "
        "entropy database index transaction storage virtualisation containers orchestration services "
        "balancing cache consistency consensus batch warehouse features networks trees clustering "
        "regression visualisation kernels protocols security encryption compilers vision language"
    ),
    "fr": (
        "informatique nuage données science systèmes répartis temps réel apprentissage algèbre probabilités "
        "entropie base index transaction stockage virtualisation conteneurs orchestration services "
        "équilibrage cache cohérence consensus entrepôt caractéristiques réseaux arbres régression "
        "visualisation noyaux protocoles sécurité chiffrement compilateurs vision langage"
    ),
}
WORDS: Final[dict[str, Sequence[str]]] = {tag: text.split() for tag, text in _VOCABULARY.items()}
COMMON: Final = {"zh": "介绍", "en": "lecture", "fr": "cours"}
"""In every second text: the commonest word of each language."""
RARE: Final = {"zh": "量子纠缠", "en": "zymurgy", "fr": "œnologie"}
"""In one lecture in five hundred."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption. Times in seconds."""

    lecture_id: str
    course: str
    language: str
    start: float
    end: float
    text: str


def universities() -> list[University]:
    return [
        University(
            slug=f"university-{number:02}",
            name={"en": f"University {number}", "zh": f"第{number}大学"},
            city={"en": f"City {number % 12}"},
            course_count=sum(number in _universities_of(course) for course in range(COURSES)),
        )
        for number in range(30)
    ]


def programmes() -> list[Programme]:
    return [
        Programme(slug=slug, name={"en": en, "zh": zh}, course_count=COURSES // 2)
        for slug, en, zh in (
            ("cloud-computing", "Cloud computing", "云计算"),
            ("data-science", "Data science", "数据科学"),
        )
    ]


def instructors() -> list[Instructor]:
    return [
        Instructor(
            slug=f"instructor-{number:03}",
            name={"en": f"Teacher {number}", "zh": f"{number}老师"},
            headline={"en": "Professor of computing", "zh": "计算机教授"},
            bio={"en": "Teaches and writes. " * 20},
            organisation={"en": f"University {number % 30}"},
            visiting=number % 3 == 0,
        )
        for number in range(200)
    ]


def courses() -> Iterator[Course]:
    for number in range(COURSES):
        chance = _chance("course", number)
        language = ("zh", "zh", "en", "fr")[number % 4]
        yield Course(
            slug=f"course-{number:04}",
            title={
                tag: f"{_words(chance, tag, 3)} {number}" for tag in dict.fromkeys((language, "en"))
            },
            summary={language: _words(chance, language, 18)},
            description={language: _words(chance, language, 120)},
            language=language,
            level=list(Level)[number % 3],
            programme=("cloud-computing", "data-science")[number % 2],
            universities=[f"university-{each:02}" for each in _universities_of(number)],
            instructors=[f"instructor-{(number * 7 + each) % 200:03}" for each in range(2)],
            owner=f"owner-{number % 200}",
            created_at=_FIRST_DAY,
            published_at=_FIRST_DAY + timedelta(minutes=number // 2),  # some at the same instant
            lecture_count=LECTURES_EACH,
            duration=sum(_seconds(number, place) for place in range(LECTURES_EACH)),
            views=int(1e6 / (1 + chance.randrange(COURSES))),
        )


def lectures() -> Iterator[Lecture]:
    for number in range(COURSES):
        language = ("zh", "zh", "en", "fr")[number % 4]
        for place in range(LECTURES_EACH):
            chance = _chance("lecture", number, place)
            title = _words(chance, language, 4)
            if (number * LECTURES_EACH + place) % 2 == 0:
                title = f"{COMMON[language]} {title}"
            if (number * LECTURES_EACH + place) % 500 == number % 500:
                title = f"{title} {RARE[language]}"
            yield Lecture(
                id=lecture_id(number, place),
                course=f"course-{number:04}",
                position=place + 1,
                title={language: title},
                description={language: _words(chance, language, 40)},
                language=language,
                published=True,
                created_at=_FIRST_DAY,
                created_by=f"owner-{number % 200}",
                duration=_seconds(number, place),
                media=MediaReference(media_id=media_id(number, place), number=1),
                uploads_begun=1,
            )


def cues() -> Iterator[Cue]:
    for number in range(COURSES):
        language = ("zh", "zh", "en", "fr")[number % 4]
        for place in range(LECTURES_EACH):
            chance = _chance("cues", number, place)
            pace = _seconds(number, place) / CUES_EACH
            for turn in range(CUES_EACH):
                yield Cue(
                    lecture_id=lecture_id(number, place),
                    course=f"course-{number:04}",
                    language=language,
                    start=round(turn * pace, 3),
                    end=round((turn + 1) * pace, 3),
                    text=_words(chance, language, 9),
                )


def media() -> Iterator[Media]:
    for number in range(COURSES):
        for place in range(LECTURES_EACH):
            yield Media(
                id=media_id(number, place),
                recording_id=f"recording-{number}-{place}",
                lecture_id=lecture_id(number, place),
                job_id=f"job-{number}-{place}",
                number=1,
                plan=_PLAN,
                created_at=_FIRST_DAY,
                publication=_PUBLICATION.model_copy(update={"duration": _seconds(number, place)}),
            )


def load(url: str, database: str) -> None:
    """Fills an empty database whose indexes exist, as the stores would have left it."""
    with MongoClient[dict[str, Any]](url) as client:
        into = client[database]
        into.universities.insert_many(to_document(each, key="slug") for each in universities())
        into.programmes.insert_many(to_document(each, key="slug") for each in programmes())
        into.instructors.insert_many(to_document(each, key="slug") for each in instructors())
        into.courses.insert_many(
            to_document(each, key="slug") | {"title_keys": title_keys(each.title, each.language)}
            for each in courses()
        )
        into.lectures.insert_many(to_document(each) for each in lectures())
        into.media.insert_many(to_document(each) for each in media())


def lecture_id(course: int, place: int) -> str:
    return f"{course:016x}{place:016x}"


def media_id(course: int, place: int) -> str:
    return f"{course:016x}{place + 0x1000:016x}"


def _universities_of(course: int) -> list[int]:
    return sorted({course % 30, course * 3 % 30})


def _seconds(course: int, place: int) -> float:
    return float(300 + (course * 37 + place * 101) % 2400)


def _words(chance: random.Random, language: str, count: int) -> str:
    return ("" if language == "zh" else " ").join(chance.choices(WORDS[language], k=count))


def _chance(*of: object) -> random.Random:
    """Each document has its own, so that none depends on how many were made before it."""
    return random.Random(f"{SEED} {of}")


_RUNGS: Final = ((640, 360, 500_000), (1280, 720, 1_500_000), (1920, 1080, 3_000_000))
_PLAN: Final = MediaPlan(
    grid=Grid(frame_rate=Ratio(num=25), segment_frames=100, frames=25 * 600),
    video=[],
    audio=AudioRendition(id="a96", channels=2, bit_rate=96_000),
    chunks=[Chunk(index=0, first_segment=0, segments=150)],
    encoder="ffmpeg",
)
_PUBLICATION: Final = Publication(
    hls="r1/main.m3u8",
    dash="r1/main.mpd",
    poster="r1/poster.jpg",
    storyboard="r1/storyboard.vtt",
    duration=600.0,
    renditions=[
        Rendition(
            id=f"v{height}",
            width=width,
            height=height,
            frame_rate=25.0,
            codecs="avc1.64001f",
            average_bandwidth=rate,
            peak_bandwidth=rate * 2,
            bytes=rate * 75,
        )
        for width, height, rate in _RUNGS
    ],
)
