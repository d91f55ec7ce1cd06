from __future__ import annotations

import re

import pytest

from api.pages import PORTAL
from api.security import page_policy

PAGES = ["/", "/courses/any", "/lectures/any", "/studio"]


def directives(policy):
    return {name: values for name, *values in (part.split() for part in policy.split("; "))}


@pytest.mark.parametrize("path", PAGES)
async def test_pages_run_only_what_this_server_sends(anyone, path):
    answer = await anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'self'"]
    assert "script-src" not in policy
    assert "style-src" not in policy
    assert "blob:" in policy["media-src"]
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert policy[name] == ["'none'"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_hold_no_inline_script_or_style_and_nothing_from_elsewhere(anyone, path):
    text = (await anyone.get(path)).text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert address.startswith(("/", "#")), address
        if address.startswith("/assets/"):
            assert (await anyone.get(address)).status_code == 200, address


def test_media_origins_are_added_where_media_are_read_and_written():
    policy = directives(page_policy(["https://bucket.test", "https://cdn.test"]))
    for name in ("connect-src", "media-src", "img-src"):
        assert {"'self'", "https://bucket.test", "https://cdn.test"} <= set(policy[name])
    assert policy["default-src"] == ["'self'"]


@pytest.mark.parametrize("path", ["/", "/assets/base.css"])
async def test_files_are_asked_about_again_and_not_sent_twice(anyone, path):
    answer = await anyone.get(path)
    assert answer.headers["cache-control"] == "public, no-cache"
    again = await anyone.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await anyone.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/vendor/hls.js/dist/hls.min.mjs", "text/javascript; charset=utf-8"),
        ("/vendor/@fontsource-variable/noto-sans-sc/index.css", "text/css; charset=utf-8"),
        ("/vendor/swagger-ui-dist/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
async def test_packages_of_the_portal_are_served(anyone, path, kind):
    if not (PORTAL / "node_modules").exists():
        pytest.skip("the portal's packages are not installed: run `npm ci` in api/portal")
    answer = await anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize(
    "path",
    [
        "/vendor/hls.js/../@scarf/scarf/package.json",
        "/vendor/hls.js/%2e%2e/%2e%2e/package.json",
        "/vendor/@scarf/scarf/package.json",
        "/vendor/package.json",
        "/vendor/hls.js",
        "/vendor/hls.js/",
        "/vendor/hls.js/LICENSE",
        "/assets/../package.json",
        "/assets/%2e%2e/index.html",
        "/assets",
        "/node_modules/hls.js/package.json",
    ],
)
async def test_nothing_else_is(anyone, path):
    assert (await anyone.get(path)).status_code == 404


async def test_the_reference_loads_nothing_from_elsewhere(anyone):
    answer = await anyone.get("/docs")
    assert answer.status_code == 200
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'self'"]
    assert "script-src" not in policy
    assert all(each.startswith("/") for each in re.findall(r'(?:src|href)="([^"]+)"', answer.text))
    start = await anyone.get("/docs/start.js")
    assert start.headers["content-type"].startswith("text/javascript")
    document = await anyone.get("/openapi.json")
    assert document.json()["openapi"].startswith("3.1")


async def test_text_is_sent_compressed_to_who_accepts_it_with_a_tag_of_its_own(anyone):
    path = "/vendor/hls.js/dist/hls.mjs"
    plain = await anyone.get(path, headers={"Accept-Encoding": "identity"})
    packed = await anyone.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    for form in (plain, packed):
        again = await anyone.get(path, headers={"If-None-Match": form.headers["etag"]})
        assert again.status_code == 304


async def test_ranges_are_of_the_file_as_it_is(anyone):
    path = "/vendor/hls.js/dist/hls.mjs"
    whole = await anyone.get(path, headers={"Accept-Encoding": "identity"})
    part = await anyone.get(path, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole.content[10:20]


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


async def test_a_browser_that_follows_a_wrong_link_gets_a_page_in_both_languages(anyone):
    answer = await anyone.get("/nowhere/at/all", headers={"Accept": BROWSER})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Accept"
    known = await anyone.get("/")
    policy = "content-security-policy"
    assert answer.headers[policy] == known.headers[policy]
    for words in ("没有这个页面", "There is no such page", 'href="/"'):
        assert words in answer.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/nowhere", "*/*"),
        ("/nowhere", "application/json"),
        ("/nowhere", "application/json, text/html;q=0.9"),
        ("/nowhere", "text/html;q=nonsense"),
        ("/nowhere", ""),
        ("/v1", BROWSER),
        ("/v1/nowhere", BROWSER),
        ("/v1/courses/nothing", BROWSER),
        ("/assets/nothing.js", BROWSER),
        ("/vendor/hls.js/nothing.mjs", BROWSER),
        ("/health/nothing", BROWSER),
    ],
)
async def test_programs_and_wrong_addresses_of_the_api_get_a_problem(anyone, path, accept):
    answer = await anyone.get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path


async def test_a_page_is_sent_compressed_with_a_tag_of_its_own(anyone):
    plain = await anyone.get("/studio", headers={"Accept-Encoding": "identity"})
    packed = await anyone.get("/studio", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert plain.headers["etag"] != packed.headers["etag"]
    for form in (plain, packed):
        again = await anyone.get("/studio", headers={"If-None-Match": form.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "content-security-policy" in again.headers
