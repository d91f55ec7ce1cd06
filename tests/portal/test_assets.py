"""What can be said of the portal's files without opening them in a browser."""

from __future__ import annotations

import json
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PORTAL = Path(__file__).parents[2] / "api" / "portal"
ASSETS = PORTAL / "assets"
PAGES = sorted(PORTAL.glob("*.html"))
MODULES = sorted(ASSETS.rglob("*.js"))
STRING = re.compile(r"^  '([\w.]+)': \['(.*)', '(.*)'\],$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def strings() -> dict[str, tuple[str, str]]:
    files = [
        ASSETS / "strings.js",
        ASSETS / "strings-studio.js",
        ASSETS / "strings-learn.js",
        ASSETS / "strings-admin.js",
    ]
    found = [match for file in files for match in STRING.findall(file.read_text("utf-8"))]
    return {key: (chinese, english) for key, chinese, english in found}


def imports(module: str) -> list[str]:
    """Paths of the modules that `module` (a path below assets/) imports statically."""
    text = (ASSETS / module).read_text("utf-8")
    relative = re.findall(r"^import[^;]*?'(\.[^']+)';$", text, re.MULTILINE)
    return [
        posixpath.normpath(posixpath.join(posixpath.dirname(module), each)) for each in relative
    ]


def module_graph(entry: str) -> set[str]:
    known: set[str] = set()
    waiting = [entry]
    while waiting:
        module = waiting.pop()
        if module not in known:
            known.add(module)
            waiting += imports(module)
    return known


class Elements(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.found if found == tag]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_have_no_inline_script_or_style_and_load_nothing_from_elsewhere(page: Path) -> None:
    elements = Elements(page)
    assert elements.named("style") == []
    assert all(script.get("src") for script in elements.named("script"))
    for tag, attributes in elements.found:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}, tag
        address = attributes.get("src") or attributes.get("href") or "/"
        assert address.startswith(("/", "#")), address
        assert not address.startswith("//"), address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_names_all_its_modules_ahead_and_no_other(page: Path) -> None:
    """Otherwise a slow network pays one round trip per level of imports."""
    elements = Elements(page)
    entry = next(s["src"] for s in elements.named("script") if s.get("type") == "module") or ""
    entry = entry.removeprefix("/assets/")
    ahead = [str(one["href"]) for one in elements.named("link") if one["rel"] == "modulepreload"]
    ours = {each.removeprefix("/assets/") for each in ahead if each.startswith("/assets/")}
    assert ours == module_graph(entry) - {entry}
    assert len(ahead) == len(set(ahead))


def test_header_and_footer_are_the_same_on_every_page() -> None:
    """They are written four times, for want of a build step: here is what keeps them equal."""

    def part(page: Path, tag: str) -> str:
        match = re.search(rf"<{tag} class=.*?</{tag}>", page.read_text("utf-8"), re.DOTALL)
        assert match is not None
        return match[0].replace(' aria-current="page"', "")

    # The page behind an invitation leads nowhere else.
    framed = [page for page in PAGES if page.stem != "invite"]
    for tag in ("header", "footer"):
        assert len({part(page, tag) for page in framed}) == 1


def test_every_string_is_in_both_languages_with_the_same_gaps() -> None:
    found = strings()
    assert len(found) > 150
    for key, (chinese, english) in found.items():
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert english.strip(), key
        assert sorted(PLACEHOLDER.findall(chinese)) == sorted(PLACEHOLDER.findall(english)), key


def test_every_string_that_is_asked_for_exists_and_none_is_left_over() -> None:
    texts = [file.read_text("utf-8") for file in [*PAGES, *MODULES] if "strings" not in file.name]
    known = strings()
    literal = re.compile(
        r"(?:\bt\(|\bt: |\blabel: |\btitle: |data-t=|data-label=|say\()['\"]([\w.]+)['\"]"
    )
    asked = {key for text in texts for key in literal.findall(text) if "." in key or key in known}
    assert asked - set(known) == set()
    built = (
        "level.",
        "theme.",
        "problem.",
        "recording.",
        "lecture.",
        "player.",
        "keys.",
        "upload.",
        "search.kind.",
        "certificate.",
        "statistics.",
        "admin.",
        "captions.",
        "invite.",
    )
    named = {
        word for text in texts for word in re.findall(r"['\"`]([a-z]+(?:\.[\w.]+)?)['\"`]", text)
    }
    assert {key for key in known if key not in named | asked and not key.startswith(built)} == set()


def test_modules_stay_small() -> None:
    lengths = {file.name: len(file.read_text("utf-8").splitlines()) for file in MODULES}
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_packages_are_locked_by_digest_and_by_no_address() -> None:
    lock = json.loads((PORTAL / "package-lock.json").read_text("utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name
