"""Names, types, texts, addresses and sizes that want to be something else: each gets its code and sentence."""

from __future__ import annotations

import re

import pytest

from academy.uploads import source_key

PROBLEM = "urn:academy:problem:"
NOT_NAMES = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("a\x00.mp4", "a.mp4"),
    ("lecture\r\nSet-Cookie: a=b.mp4", "lectureSet-Cookie: a=b.mp4"),
    ("gpj\u202e4pm.exe", "gpj4pm.exe"),
    ("\x1b[2Jclear.mp4", "[2Jclear.mp4"),
    ("/", "recording"),
    ("....", "recording"),
]


@pytest.fixture(scope="module")
async def lecture(add_course, add_lecture):
    await add_course("hostile")
    return (await add_lecture("hostile"))["id"]


def told(answer):
    """Code and sentence of a refusal, whose form is checked here for all of them."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert re.fullmatch(r"[A-Z`].+[.?!]", body["detail"], re.DOTALL), body["detail"]
    return body["type"].removeprefix(PROBLEM)


@pytest.mark.parametrize(("sent", "shown"), NOT_NAMES)
async def test_a_file_name_is_what_it_looks_like_and_leads_nowhere(teacher, lecture, sent, shown):
    body = {"filename": sent, "size": 5, "content_type": "video/mp4"}
    begun = await teacher.post(f"/v1/lectures/{lecture}/uploads", json=body)
    assert begun.status_code == 201
    status = await teacher.get(begun.headers["location"])
    assert status.json()["filename"] == shown


TYPES = [
    ("video/mp4", "video/mp4"),
    ("audio/x-m4a", "audio/x-m4a"),
    # What a browser would show or run is kept as bytes: what a file is, inspection finds out.
    ("text/html", "application/octet-stream"),
    ("image/svg+xml", "application/octet-stream"),
    ("application/javascript", "application/octet-stream"),
    ("text/vnd.trolltech.linguist", "application/octet-stream"),  # a browser's word for `.ts`
    ('video/mp4; codecs="avc1"', "video/mp4"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kept"), TYPES)
async def test_no_source_is_kept_as_something_that_a_browser_runs(
    teacher, lecture, backend, said, kept
):
    body = {"filename": "a.mp4", "size": 5, "content_type": said}
    begun = (await teacher.post(f"/v1/lectures/{lecture}/uploads", json=body)).json()
    link = await teacher.post(f"/v1/uploads/{begun['id']}/parts", json={"numbers": [1]})
    part = link.json()["urls"][0]
    await teacher.put(part["url"], content=b"<htm>", headers=part["headers"])
    done = await teacher.post(f"/v1/uploads/{begun['id']}/complete")
    assert done.status_code == 202
    stored = backend.storage.stat(source_key(done.json()["recording_id"]))
    assert stored.content_type == kept


@pytest.mark.parametrize(
    "said", ["video/mp4\r\nX-Injected: 1", "nonsense", "video/mp4\x00", "/", "a" * 300 + "/b"]
)
@pytest.mark.parametrize("way", ["own", "uppy"])
async def test_a_content_type_that_is_none_is_refused(teacher, lecture, said, way):
    if way == "own":
        body = {"filename": "a.mp4", "size": 5, "content_type": said}
        answer = await teacher.post(f"/v1/lectures/{lecture}/uploads", json=body)
    else:
        body = {"filename": "a.mp4", "type": said, "metadata": {"lecture": lecture}}
        answer = await teacher.post("/v1/uppy/s3/multipart", json=body)
    assert answer.status_code == 422
    assert told(answer) == "invalid"


@pytest.mark.parametrize("bad", ["\x00", "\x1b[31m", "\x7f", "\x08", "\u0085"])
@pytest.mark.parametrize("where", ["title", "summary", "map", "section", "lecture", "patch"])
async def test_control_characters_are_refused_in_texts(teacher, add_course, lecture, bad, where):
    text = f"A {bad} title"
    course = {"slug": "never-made", "title": {"en": "T"}, "language": "en"}
    match where:
        case "title":
            answer = await teacher.post("/v1/courses", json={**course, "title": text})
        case "summary":
            answer = await teacher.post("/v1/courses", json={**course, "summary": {"zh": text}})
        case "map":
            answer = await teacher.post("/v1/courses", json={**course, "title": {"en": text}})
        case "section":
            sections = {"sections": [{"title": {"en": text}}]}
            answer = await teacher.post("/v1/courses", json={**course, **sections})
        case "lecture":
            answer = await teacher.post("/v1/courses/hostile/lectures", json={"title": text})
        case "patch":
            patch = {"title": {"en": text}}
            answer = await teacher.patch(f"/v1/lectures/{lecture}", json=patch)
    assert answer.status_code == 422
    assert told(answer) == "invalid"
    assert "control character" in answer.text


async def test_lines_and_tabs_are_no_such_characters(teacher, lecture):
    text = "First line\n\tsecond, أهلا\u200f\r\nthird"
    patched = await teacher.patch(f"/v1/lectures/{lecture}", json={"description": {"en": text}})
    assert patched.status_code == 200
    seen = await teacher.get(f"/v1/lectures/{lecture}?lang=en")
    assert seen.json()["description"] == text


@pytest.mark.parametrize(
    "language", ["%00", "..%2f..%2fetc", "en%0d%0aX-A:%201", "EN US", "e", "x" * 64]
)
async def test_captions_have_a_language_and_no_other_name(teacher, lecture, language):
    captions = b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n"
    answer = await teacher.put(
        f"/v1/lectures/{lecture}/captions/{language}",
        content=captions, headers={"content-type": "text/vtt"},
    )  # fmt: skip
    assert answer.status_code in {404, 422}
    assert told(answer) in {"not_found", "invalid"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/courses/%00",
        "/v1/lectures/..%2f..%2fhealth",
        "/v1/search?q=%00",
        "/v1/search?q=a&type=%00",
        "/v1/courses?cursor=%00",
        "/v1/courses?university=%00&sort=%0a",
        "/v1/certificates/%00%0d%0a",
        "/v1/media/%00/a.m4s",
        "/v1/media/../../etc/passwd",
        "/v1/storage/objects/..%2f..%2fetc%2fpasswd",
        "/v1/uploads/%00",
        "/assets/..%2f..%2fsettings.py",
        "/assets/%00",
        "/vendor/..%2f..%2f..%2fetc/passwd",
        "/%00",
        "/v1/" + "a/" * 2000,
    ],
)
async def test_addresses_with_tricks_find_nothing_and_break_nothing(teacher, path):
    answer = await teacher.get(path)
    assert answer.status_code in {200, 400, 403, 404, 422}
    if answer.status_code != 200:  # a search for nothing sensible finds nothing
        told(answer)
    assert "root:" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"content-type": "application/json"}, b"[" * 100_000, 400, "malformed_json"),
        ({"content-type": "application/json"}, b"x" * (1024**2 + 1), 413, "too_large"),
        ({"content-type": "application/json", "content-length": "9" * 30}, b"{}", 413, "too_large"),
        ({"content-type": "text/html"}, b"<script>", 415, "unsupported_media_type"),
        (
            {"content-type": "multipart/form-data; boundary=a"},
            b"--a--",
            415,
            "unsupported_media_type",
        ),
    ],
)
async def test_bodies_that_are_too_much_or_not_json_are_refused(
    teacher, lecture, headers, content, status, code
):
    answer = await teacher.post(f"/v1/lectures/{lecture}/uploads", content=content, headers=headers)
    assert (answer.status_code, told(answer)) == (status, code)


async def test_what_is_downloaded_says_its_type_and_is_not_guessed(teacher, backend, lecture):
    key = "recordings/hostile/source"
    backend.storage.put(key, b"<script>alert(1)</script>", content_type="text/html")
    answer = await teacher.get(backend.storage.signed_url(key, expires_in=60))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
