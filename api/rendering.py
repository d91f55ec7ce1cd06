"""Read models as clients see them: JSON-ready data in the reader's language, in the shapes of
`representations.py` (a test compares). Plain dictionaries, since a read's cost is mostly objects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from academy.catalogue import CoursePage, CourseView, Document, LectureView, Named
from academy.playback import Playback
from api.languages import Languages

JSON = dict[str, Any]


@dataclass(slots=True)
class Rendering:
    """One answer: what several courses name is rendered once."""

    named: Named
    languages: Languages
    public_url: str
    _teachers: dict[tuple[str, str], JSON] = field(default_factory=dict, init=False)

    def card(self, course: Document) -> JSON:
        languages, own = self.languages, course["language"]
        programme = course["programme"]
        published_at = course.get("published_at")
        return {
            "slug": course["slug"],
            "title": languages.heading(course["title"], own),
            "summary": languages.maybe(course["summary"], own),
            "language": own,
            "level": course["level"],
            "programme": self._name(self.named.programmes, programme, own) if programme else None,
            "universities": [
                name
                for slug in course["universities"]
                if (name := self._name(self.named.universities, slug, own)) is not None
            ],
            "instructors": self.teachers(course["instructors"], own),
            "lecture_count": course["lecture_count"],
            "duration": course["duration"],
            "poster_url": self._poster_url(course) if published_at is not None else None,
            "published_at": published_at,
            "demo": course["demo"],
        }

    def teachers(self, slugs: Sequence[str], fallback: str) -> list[JSON]:
        return [
            self._teacher(person, fallback)
            for person in map(self.named.instructors.get, slugs)
            if person is not None
        ]

    def _teacher(self, person: Document, fallback: str) -> JSON:
        key = (person["_id"], fallback)
        made = self._teachers.get(key)
        if made is None:
            languages = self.languages
            made = self._teachers[key] = {
                "slug": person["_id"],
                "name": languages.text(person["name"], fallback),
                "headline": languages.maybe(person["headline"], fallback),
                "organisation": languages.maybe(person["organisation"], fallback),
                "visiting": person["visiting"],
                "portrait_url": person["portrait_url"],
            }
        return made

    def _name(self, among: Mapping[str, Document], slug: str, fallback: str) -> JSON | None:
        known = among.get(slug)
        if known is None:
            return None
        return {"slug": slug, "name": self.languages.text(known["name"], fallback)}

    def _poster_url(self, course: Document) -> str | None:
        """An address that stays, and leads to the picture of the moment."""
        if course.get("poster") is None:
            return None
        return f"{self.public_url}/v1/courses/{course['slug']}/poster"


def course_page(page: CoursePage, languages: Languages, public_url: str) -> list[JSON]:
    rendering = Rendering(page.named, languages, public_url)
    return [rendering.card(course) for course in page.courses]


def course_detail(
    view: CourseView,
    lectures: Sequence[Document],
    streaming: Collection[str],
    languages: Languages,
    public_url: str,
) -> JSON:
    """`lectures` in their order; those in no (or a vanished) section come last, under a null one.
    `streaming`: ids of those that can be watched though their media are not published yet.
    """
    course = view.course
    made = Rendering(view.named, languages, public_url).card(course)
    lines: dict[str | None, list[JSON]] = {section["id"]: [] for section in course["sections"]}
    loose: list[JSON] = []
    text = languages.text
    for each in lectures:
        lines.get(each["section"], loose).append(
            {
                "id": each["id"],
                "title": text(each["title"], each["language"]),
                "duration": each["duration"],
                "playable": each["media"] is not None or each["id"] in streaming,
                "published": each["published"],
                "position": each["position"],
            }
        )
    sections = [
        {
            "id": section["id"],
            "title": languages.text(section["title"], course["language"]),
            "lectures": lines[section["id"]],
        }
        for section in course["sections"]
    ]
    if loose:
        sections.append({"id": None, "title": None, "lectures": loose})
    made["description"] = languages.maybe(course["description"], course["language"])
    made["sections"] = sections
    return made


def lecture_detail(view: LectureView, playback: Playback, languages: Languages) -> JSON:
    lecture = view.lecture
    own, duration = lecture["language"], lecture["duration"]
    rendering = Rendering(view.named, languages, "")
    return {
        "id": lecture["id"],
        "course": view.course["slug"],
        "section": lecture["section"],
        "position": lecture["position"],
        "title": languages.heading(lecture["title"], own),
        "description": languages.maybe(lecture["description"], own),
        "language": own,
        "instructors": rendering.teachers(view.teachers, own),
        "duration": duration if duration is not None else playback.duration,
        "published": lecture["published"],
        "playback": _in_language(playback, languages, own),
    }


def _in_language(playback: Playback, languages: Languages, own: str) -> Playback:
    """Chapters' titles as the reader wants them."""
    if not playback.chapters:
        return playback
    chapters = [
        chapter.model_copy(update={"title": languages.text(chapter.title, own)})
        if isinstance(chapter.title, dict)
        else chapter
        for chapter in playback.chapters
    ]
    return playback.model_copy(update={"chapters": chapters})
