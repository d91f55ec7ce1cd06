"""An example for every body, made from its schema: what a field says itself (`examples`), or what its
name means in this API. So a new route has one by itself; a test checks each against its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
_ID: Final = "6f1d0c5b9b7d4d0f8a2e3c4b5a697887"
_FORMATS: Final = {
    "date-time": "2026-09-01T08:00:00Z",
    "date": "2027-03-31",
    "uri": "https://www.example.org/",
    "binary": "",
}
_MEANINGS: Final[dict[str, Any]] = {
    "id": _ID,
    "slug": "introduction-to-cloud-computing",
    "course": "introduction-to-cloud-computing",
    "title": "Introduction to cloud computing",
    "name": "Zhejiang University",
    "summary": "What the cloud is made of, and how to build on it.",
    "description": "Twelve lectures with exercises.",
    "headline": "Professor of computer science",
    "bio": "Teaches distributed systems.",
    "organisation": "Zhejiang University",
    "language": "zh",
    "label": "中文",
    "city": "Hangzhou",
    "website": "https://www.zju.edu.cn",
    "portrait_url": "https://www.example.org/portraits/li.jpg",
    "programme": "cloud-computing",
    "programmes": ["cloud-computing"],
    "section": _ID,
    "filename": "lecture-1.mp4",
    "content_type": "video/mp4",
    "size": 734003200,
    "part_size": 16777216,
    "part_count": 44,
    "duration": 2710.4,
    "available_duration": 2710.4,
    "lecture_count": 12,
    "course_count": 24,
    "position": 1,
    "progress": 0.42,
    "speed": 6.5,
    "eta": 240.0,
    "stage": "encoding",
    "hls": "https://media.example.org/media/6f1d/r1/main.m3u8",
    "dash": "https://media.example.org/media/6f1d/r1/main.mpd",
    "poster": "https://media.example.org/media/6f1d/poster.jpg",
    "storyboard": "https://media.example.org/media/6f1d/storyboard.vtt",
    "next_cursor": None,
    "etag": "9b74c9897bac770ffc029102a200c5de",
    "url": "https://www.example.org/",
    "failure": None,
    "error": None,
    "status": 200,
    "state": None,
    "disabled_because": None,
    "rotated_at": None,
    "frame_rate": 25.0,
    "codecs": "avc1.640028",
    "width": 1920,
    "height": 1080,
    "code": "unreadable_media",
    "message": "The file ends in the middle: export it again.",
    "watched": [[0.0, 15.0]],
    "subject": "auth0|5f7c8ec7c33c6c004bbafe82",
    "kind": None,
}
"""By name of the member. None: nothing better than the schema's own, or null where that is allowed."""
_LOCALISED: Final[dict[str, Any]] = {
    "title": {"en": "Introduction to cloud computing", "zh": "云计算导论"},
    "name": {"en": "Zhejiang University", "zh": "浙江大学"},
    "summary": {"en": "What the cloud is made of.", "zh": "云由什么组成。"},
}
"""In what is sent, where texts are maps by language."""


class Examples:
    """`schemas`: the document's components."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def sent(self, schema: Schema) -> Any:
        """Of a request: what is required, and of the rest what says something."""
        return self._example(schema, None, sent=True, depth=0)

    def answered(self, schema: Schema) -> Any:
        return self._example(schema, None, sent=False, depth=0)

    def _example(self, schema: Schema, name: str | None, *, sent: bool, depth: int) -> Any:
        if schema.get("examples"):
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        schema = self._resolved(schema)
        if name in _LOCALISED and sent and _takes(schema, "object"):
            return _LOCALISED[name]
        meant = _MEANINGS.get(name or "")
        if "enum" in schema:
            return schema["enum"][0]
        if meant is not None and _accepts(schema, meant):
            return meant
        if name in _MEANINGS and meant is None and _takes(schema, "null"):
            return None
        if schema.get("examples"):
            return schema["examples"][0]
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            first = next((each for each in branches if each.get("type") != "null"), branches[0])
            return self._example(first, name, sent=sent, depth=depth)
        return self._plain(schema, sent=sent, depth=depth)

    def _plain(self, schema: Schema, *, sent: bool, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, sent=sent, depth=depth)
            case "array":
                if "prefixItems" in schema:
                    return [
                        self._example(each, None, sent=sent, depth=depth + 1)
                        for each in schema["prefixItems"]
                    ]
                if depth > 6:
                    return []
                return [
                    self._example(schema.get("items", {}), None, sent=sent, depth=depth + 1)
                ] * max(1, schema.get("minItems", 1))
            case "string":
                return _FORMATS.get(schema.get("format", ""), "text")
            case "integer":
                return int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
            case "number":
                return float(schema.get("minimum", 1.0))
            case "boolean":
                return bool(schema.get("default", True))
            case _:
                return None

    def _object(self, schema: Schema, *, sent: bool, depth: int) -> dict[str, Any]:
        members: Mapping[str, Schema] = schema.get("properties", {})
        required = schema.get("required", [])
        return {
            name: self._example(member, name, sent=sent, depth=depth + 1)
            for name, member in members.items()
            if not sent or name in required or member.get("examples") or name in _LOCALISED
        }

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema


def _takes(schema: Schema, kind: str) -> bool:
    return any(each.get("type") == kind for each in [schema, *schema.get("anyOf", [])])


def _accepts(schema: Schema, value: Any) -> bool:
    kind = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}[
        type(value)
    ]
    fitting = [each for each in [schema, *schema.get("anyOf", [])] if each.get("type") == kind]
    return any("pattern" not in each or kind != "string" for each in fitting) or (
        kind == "string" and any(_matches(each, value) for each in fitting)
    )


def _matches(schema: Schema, value: str) -> bool:
    return re.search(schema["pattern"], value) is not None
