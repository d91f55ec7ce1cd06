"""Reads caption files as people have them: WebVTT or SubRip, in whatever encoding. Pure.

SubRip has no standard; what is read is what its players read. Sources: W3C WebVTT, section 6.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Final

from charset_normalizer import from_bytes

from academy.captions import CaptionCue, cue_text
from academy.errors import Invalid

MOST_BYTES: Final = 1024**2
"""Two hours of captions take about 200 kB."""
MOST_CUES: Final = 20_000
LIKELY: Final = ("gb18030", "big5", "cp1252", "iso8859_15", "utf_16", "utf_8")
"""Encodings of subtitles in Chinese, English and French. A guess among all there are is often wrong
for a file this short."""
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TIME: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING: Final = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_SKIPPED: Final = ("NOTE", "STYLE", "REGION")
_ASS: Final = re.compile(r"\{\\[^{}]*\}")
"""Positions such as `{\\an8}`, which SubRip took from another format."""


def read_captions(data: bytes) -> list[CaptionCue]:
    """The cues as the file has them. Invalid with a sentence that names the line."""
    if len(data) > MOST_BYTES:
        raise _wrong(f"A caption file has at most {MOST_BYTES} bytes; this one has {len(data)}.")
    text = decoded(data)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues = list(_cues(lines))
    if not cues:
        raise _wrong(
            "There is no cue in this file: give WebVTT or SubRip (SRT), with lines such as "
            "“00:01:02.000 --> 00:01:05.500”."
        )
    if len(cues) > MOST_CUES:
        raise _wrong(f"There are {len(cues)} cues in this file; at most {MOST_CUES} are taken.")
    return cues


def decoded(data: bytes) -> str:
    """The text, whatever its encoding. Invalid for what is no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _with(data[len(mark) :], encoding)
    if b"\x00" not in data:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass  # an older encoding: looked for below
    best = from_bytes(data, cp_isolation=list(LIKELY)).best()
    if best is None:
        raise _wrong("The file's encoding cannot be told: save it as UTF-8 and send it again.")
    return str(best)


def _with(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _wrong(
            f"The file says that it is {encoding.upper()} and is not: save it as UTF-8."
        ) from error


def _cues(lines: Sequence[str]) -> Iterator[CaptionCue]:
    """Blocks between blank lines; one without a timing line is a header, a note or a style."""
    at = 0
    while at < len(lines):
        timing = _TIMING.match(lines[at])
        if timing is None:
            if "-->" in lines[at] and not lines[at].startswith(_SKIPPED):
                raise _wrong(
                    f"Line {at + 1} is no timing: “{lines[at].strip()[:60]}”. "
                    "Write “00:01:02.000 --> 00:01:05.500”."
                )
            at = _past_block(lines, at) if lines[at].startswith(_SKIPPED) else at + 1
            continue
        end = at + 1
        while end < len(lines) and lines[end].strip() and not _begins_cue(lines, end):
            end += 1
        body = "\n".join(lines[at + 1 : end])
        yield CaptionCue(
            start=_milliseconds(timing, 1, at),
            end=_milliseconds(timing, 5, at),
            text=cue_text(_ASS.sub("", body)),
        )
        at = end


def _begins_cue(lines: Sequence[str], at: int) -> bool:
    """Whether the next cue begins here, although a blank line before it is missing (SubRip)."""
    if _TIMING.match(lines[at]):
        return True
    following = lines[at + 1] if at + 1 < len(lines) else ""
    return lines[at].strip().isdigit() and _TIMING.match(following) is not None


def _past_block(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _milliseconds(timing: re.Match[str], first: int, line: int) -> int:
    hours, minutes, seconds, fraction = (timing[first + offset] for offset in range(4))
    if int(minutes) > 59 or int(seconds) > 59:
        raise _wrong(f"Line {line + 1} has a time with more than 59 minutes or seconds.")
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, code="bad_captions")
