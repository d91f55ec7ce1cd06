"""Captions as one clean list of cues: in order, not overlapping, with the markup that players share. Pure.

Source: W3C WebVTT (https://www.w3.org/TR/webvtt1/).
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from academy.courses import now
from academy.localised import LanguageTag
from academy.search.entries import Cue

SHORTEST: Final = 50
"""Milliseconds; nobody reads what is shown for less."""
TAGS: Final = frozenset({"b", "i", "u", "ruby", "rt"})
"""What stays of a cue's markup: every player knows these."""
_TAG: Final = re.compile(r"<[^<>]*>")
_NAMED: Final = re.compile(r"</?([A-Za-z]+)")


class CaptionCue(BaseModel):
    """Shown from `start` to `end` (milliseconds). `text` is WebVTT cue text (escaped, with TAGS)."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(ge=0)
    end: int
    text: str


class CaptionFile(BaseModel):
    """What an instructor gave for one language of a lecture, normalised; kept for whatever media it plays."""

    model_config = ConfigDict(frozen=True)

    lecture_id: str
    language: LanguageTag
    label: str = Field(min_length=1, max_length=80)
    kind: Literal["subtitles", "captions"] = "subtitles"
    webvtt: str
    cues: int
    removed: bool = False
    """Taken back: also what the recording itself brought along in this language is hidden."""
    uploaded_by: str
    uploaded_at: datetime = Field(default_factory=now)


def normalised(
    cues: Iterable[CaptionCue], *, duration: float | None = None
) -> tuple[list[CaptionCue], Counter[str]]:
    """In order of time and without overlaps; and how many cues needed what.

    Cues without words or time are left out, as are those after the lecture's end (`duration`, seconds).
    One that begins before the last has ended shortens that; those that begin together become one.
    """
    changes: Counter[str] = Counter()
    given = list(cues)
    ordered = sorted(given, key=lambda cue: cue.start)
    if ordered != given:
        changes["reordered"] = sum(a is not b for a, b in zip(given, ordered, strict=True))
    last = None if duration is None else round(duration * 1000)
    clean: list[CaptionCue] = []
    for cue in ordered:
        if not plain(cue.text) or cue.end <= cue.start:
            changes["empty"] += 1
            continue
        if last is not None and cue.start >= last:
            changes["after_end"] += 1
            continue
        before = clean[-1] if clean else None
        if before is not None and cue.start - before.start < SHORTEST:
            if cue.text == before.text:
                changes["repeated"] += 1
                continue
            changes["overlapping"] += 1
            clean[-1] = CaptionCue(
                start=before.start,
                end=max(before.end, cue.end),
                text=f"{before.text}\n{cue.text}",
            )
            continue
        if before is not None and before.end > cue.start:
            changes["overlapping"] += 1
            clean[-1] = before.model_copy(update={"end": cue.start})
        clean.append(cue)
    return clean, changes


def webvtt(cues: Sequence[CaptionCue]) -> str:
    """A whole WebVTT file."""
    blocks = [f"{_clock(cue.start)} --> {_clock(cue.end)}\n{cue.text}" for cue in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def cue_text(raw: str) -> str:
    """WebVTT cue text of what a file says: known tags stay, others and styles go, the rest is escaped."""
    pieces: list[str] = []
    at = 0
    for tag in _TAG.finditer(raw):
        pieces.extend((_escaped(raw[at : tag.start()]), _kept(tag[0])))
        at = tag.end()
    pieces.append(_escaped(raw[at:]))
    # A blank line would end the cue.
    lines = [line.strip() for line in "".join(pieces).splitlines()]
    return "\n".join(line for line in lines if line)


def plain(text: str) -> str:
    """A cue's words without markup, on one line."""
    return " ".join(html.unescape(_TAG.sub("", text)).split())


def searchable(cues: Iterable[CaptionCue]) -> Iterator[Cue]:
    for cue in cues:
        yield Cue(start=cue.start / 1000, end=cue.end / 1000, text=plain(cue.text))


def _kept(tag: str) -> str:
    named = _NAMED.match(tag)
    if named is None or named[1].lower() not in TAGS:
        return ""
    return f"</{named[1].lower()}>" if tag.startswith("</") else f"<{named[1].lower()}>"


def _escaped(text: str) -> str:
    # Unescaped first: a file may have escaped it already.
    return html.escape(html.unescape(text), quote=False)


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
