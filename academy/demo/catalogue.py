"""Reads `catalogue.yaml` into the domain's models. Ids are derived, so every load makes the same ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from typing import Any, Final

import yaml

from academy.courses import Course, Lecture, Programme, Section, University, now
from academy.opportunities import Opportunity
from academy.people import Instructor, Role

OWNER: Final = Role.INSTRUCTOR.value
"""The subject of `academy token --role instructor`: whoever tries the studio may write here."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`lectures` in course order; `sample` is the lecture that the generated recording is for."""

    universities: list[University]
    programmes: list[Programme]
    instructors: list[Instructor]
    courses: list[Course]
    lectures: list[Lecture]
    sample: Lecture
    opportunities: list[Opportunity]


def read_catalogue() -> Catalogue:
    text = resources.files(__package__).joinpath("catalogue.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    courses: list[Course] = []
    lectures: list[Lecture] = []
    samples: list[Lecture] = []
    for place, entry in enumerate(data["courses"]):
        course = _course(entry, place)
        courses.append(course)
        for section, described in zip(course.sections, entry["sections"], strict=True):
            for number, lecture in enumerate(described["lectures"]):
                lectures.append(_lecture(lecture, course, section, number))
                if lecture.get("sample"):
                    samples.append(lectures[-1])
    (sample,) = samples
    return Catalogue(
        universities=[University(**entry) for entry in data["universities"]],
        programmes=[Programme(**entry) for entry in data["programmes"]],
        instructors=[Instructor(**entry) for entry in data["instructors"]],
        courses=courses,
        lectures=lectures,
        sample=sample,
        opportunities=[_opportunity(**entry) for entry in data["opportunities"]],
    )


def _opportunity(*, key: str, closes_in: int, **entry: Any) -> Opportunity:
    closes_on = (now() + timedelta(days=closes_in)).date()
    return Opportunity(id=_fixed_id("opportunity", key), closes_on=closes_on, **entry)


def _course(entry: dict[str, Any], place: int) -> Course:
    slug = entry["slug"]
    sections = [
        Section(id=_fixed_id(slug, str(number)), title=section["title"])
        for number, section in enumerate(entry["sections"])
    ]
    # A minute apart, so that "newest first" lists them as the file does.
    published = now() - timedelta(minutes=place)
    return Course(
        **{**entry, "sections": sections},
        owner=OWNER,
        created_at=published,
        published_at=published,
        demo=True,
    )


def _lecture(entry: dict[str, Any], course: Course, section: Section, number: int) -> Lecture:
    return Lecture(
        id=_fixed_id(section.id, str(number)),
        course=course.slug,
        section=section.id,
        title=entry["title"],
        description=entry.get("description"),
        language=course.language,
        instructors=course.instructors,
        published=True,
        created_by=OWNER,
    )


def _fixed_id(*names: str) -> str:
    """32 hexadecimal digits, as every id."""
    return hashlib.sha256("/".join(["academy demo", *names]).encode()).hexdigest()[:32]
