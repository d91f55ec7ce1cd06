"""What can be said of the portal's files without opening them in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api import pages
from api.shell import render

PORTAL = Path(__file__).parents[2] / "api" / "portal"
ASSETS = PORTAL / "assets"
SOURCES = sorted(PORTAL.glob("*/*.html"))
PAGES = {
    name: render(PORTAL, name, path, framed=name not in pages.UNFRAMED)
    for path, name in [*pages.PAGES.items(), ("", pages.MISSING)]
}
MODULES = sorted(ASSETS.rglob("*.js"))
STRING = re.compile(r"^  '([\w.]+)': \['(.*)', '(.*)'\],$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def strings() -> dict[str, tuple[str, str]]:
    files = [
        ASSETS / "strings.js",
        ASSETS / "strings-studio.js",
        ASSETS / "strings-learn.js",
        ASSETS / "strings-admin.js",
        ASSETS / "strings-opportunities.js",
    ]
    found = [match for file in files for match in STRING.findall(file.read_text("utf-8"))]
    return {key: (chinese, english) for key, chinese, english in found}


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.found if found == tag]


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_no_inline_script_or_style_and_load_nothing_from_elsewhere(name: str) -> None:
    elements = Elements(PAGES[name])
    assert elements.named("style") == []
    assert all(script.get("src") for script in elements.named("script"))
    for tag, attributes in elements.found:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}, tag
        address = attributes.get("src") or attributes.get("href") or "/"
        assert address.startswith(("/", "#")), address
        assert not address.startswith("//"), address


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_with_one_main_and_one_module(name: str) -> None:
    elements = Elements(PAGES[name])
    assert [len(elements.named(tag)) for tag in ("html", "head", "body", "title", "main")] == [
        1
    ] * 5
    assert [s["src"] for s in elements.named("script") if s.get("type") == "module"] != []
    assert "<!--" not in PAGES[name]


def test_what_a_module_imports_is_named_ahead_with_what_that_imports() -> None:
    """Otherwise a slow network pays one round trip per level of imports."""
    links = Elements(PAGES["lecture.html"]).named("link")
    ahead = [str(each["href"]) for each in links if each["rel"] == "modulepreload"]
    assert {"/assets/player/player.js", "/assets/player/source.js", "/assets/memory.js"} <= set(
        ahead
    )
    assert "/assets/lecture.js" not in ahead
    assert len(ahead) == len(set(ahead))
    assert all((PORTAL / each[1:]).exists() for each in ahead if each.startswith("/assets/"))


def test_the_headers_link_to_a_page_says_on_that_page_that_it_is_there() -> None:
    marked = {
        name: [link["href"] for link in Elements(text).named("a") if "aria-current" in link]
        for name, text in PAGES.items()
    }
    assert {name: here for name, here in marked.items() if here} == {
        "catalogue.html": ["/"],
        "learn.html": ["/learn"],
        "opportunities.html": ["/opportunities"],
        "studio.html": ["/studio"],
    }


def test_every_string_is_in_both_languages_with_the_same_gaps() -> None:
    found = strings()
    assert len(found) > 150
    for key, (chinese, english) in found.items():
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert english.strip(), key
        assert sorted(PLACEHOLDER.findall(chinese)) == sorted(PLACEHOLDER.findall(english)), key


def test_every_string_that_is_asked_for_exists_and_none_is_left_over() -> None:
    texts = [file.read_text("utf-8") for file in [*SOURCES, *MODULES] if "strings" not in file.name]
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
        "offers.kind.",
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
