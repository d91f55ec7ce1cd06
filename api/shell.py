"""The portal's pages as they are sent: what all share is written once, in `portal/shell/`.

A page's file holds what is its own: a `<head>` with its style sheets and its module, and the `<main>`.
`document.html` goes around every page; `frame.html`, the header and the footer, around those that lead
elsewhere. The modules that a page's module imports, directly or through others, are named ahead, since a
slow network would pay one round trip for each level of imports. Pure functions of the portal's files.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

HEAD: Final = "<!-- head -->"
PAGE: Final = "<!-- page -->"
_SPLIT: Final = re.compile(r"\s*<head>\n(?P<head>.*?)</head>\n(?P<body>.*)", re.DOTALL)
_ENTRY: Final = re.compile(
    r'^ *<script type="module" src="/assets/(?P<module>[^"]+)">', re.MULTILINE
)
_IMPORT: Final = re.compile(r"^import[^;]*?'(\.[^']+)';$", re.MULTILINE)


def render(portal: Path, file: str, path: str, *, framed: bool = True) -> str:
    """The page of `portal/pages/{file}`. The header's link to `path`, if there is one, is marked as the
    current page.
    """
    head, body = _parts(portal / "pages" / file)
    if framed:
        shared, frame = _parts(portal / "shell" / "frame.html")
        marked = frame.replace(
            f'<a href="{path}" data-t=', f'<a href="{path}" aria-current="page" data-t='
        )
        head, body = shared + head, _put(marked, PAGE, body)
    document = (portal / "shell" / "document.html").read_text("utf-8")
    return _put(_put(document, HEAD, _with_modules(head, portal / "assets")), PAGE, body)


def modules(assets: Path, entry: str) -> list[str]:
    """Paths below `assets` of what `entry` imports statically, itself left out, in the order found."""
    known: list[str] = []
    waiting = [entry]
    while waiting:
        module = waiting.pop(0)
        text = (assets / module).read_text("utf-8")
        for each in _IMPORT.findall(text):
            found = posixpath.normpath(posixpath.join(posixpath.dirname(module), each))
            if found not in known and found != entry:
                known.append(found)
                waiting.append(found)
    return known


def _with_modules(head: str, assets: Path) -> str:
    entry = _ENTRY.search(head)
    if entry is None:
        return head
    ahead = "".join(
        f'  <link rel="modulepreload" href="/assets/{each}">\n'
        for each in modules(assets, entry["module"])
    )
    return head[: entry.start()] + ahead + head[entry.start() :]


def _parts(file: Path) -> tuple[str, str]:
    parts = _SPLIT.fullmatch(file.read_text("utf-8"))
    if parts is None:
        raise ValueError(f"{file} must be a <head> element followed by what stands in the body.")
    return parts["head"], parts["body"]


def _put(template: str, place: str, text: str) -> str:
    """In the place's line, indented as it is; first lines of `text` may be indented more."""
    indent = re.search(rf"^ *(?={re.escape(place)}\n)", template, re.MULTILINE)
    if indent is None:
        raise ValueError(f"The shell has no line {place}.")
    # What a <head> holds is indented already.
    lines = text if place == HEAD else re.sub(r"^(?=.)", indent[0], text, flags=re.MULTILINE)
    return template[: indent.start()] + lines + template[indent.end() + len(place) + 1 :]
