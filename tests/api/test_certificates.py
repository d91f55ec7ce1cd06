"""Certificates: issued once, verified by anybody, printed, signed as badges, revoked."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from pypdf import PdfReader

from academy.badge_keys import BadgeKeys, renew
from academy.errors import SettingsError
from academy.settings import Settings
from tests.fixtures_api import BASE
from tests.fixtures_learning import set_duration, watch


@pytest.fixture(scope="module")
def api_settings(api_settings: Settings, tmp_path_factory) -> Settings:
    """With keys for badges, of which the first no longer signs."""
    ring = tmp_path_factory.mktemp("keys") / "badge-keys.json"
    renew(ring)
    renew(ring)
    return api_settings.model_copy(update={"badge_keys": ring, "issuer_name": "云学堂 Academy"})


@pytest.fixture(scope="module")
async def course(admin, add_curriculum, teacher):
    await admin.post("/v1/universities", json={"slug": "zju", "name": {"zh": "浙江大学"}})
    await admin.post("/v1/instructors", json={"slug": "li", "name": {"zh": "李四", "en": "Li Si"}})
    await admin.post("/v1/programmes", json={"slug": "cloud", "name": {"zh": "云计算"}})
    made = await add_curriculum(60.0, 120.0)
    patch = {
        "title": {"zh": "云计算导论", "en": "Introduction to the cloud"},
        "universities": ["zju"],
        "instructors": ["li"],
        "programme": "cloud",
    }
    assert (await teacher.patch(f"/v1/courses/{made.slug}", json=patch)).status_code == 200
    return made


async def complete(client, course):
    for length, lecture in course.lectures.items():
        await watch(client, lecture, (0, length * 0.95))


async def claim(client, course, **body):
    return await client.post(f"/v1/courses/{course.slug}/certificate", json=body or None)


@pytest.fixture(scope="module")
async def issued(sign_in, course):
    """The certificate of 张三丰."""
    learner = sign_in("learner", "zhang")
    await complete(learner, course)
    answer = await claim(learner, course, name="张三丰")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/certificates/{answer.json()['code']}"
    return answer.json()


async def test_a_certificate_takes_all_that_the_rules_ask_for(sign_in, course):
    learner = sign_in("learner", "slow")
    refused = await claim(learner, course)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:academy:problem:course_not_completed"
    first, second = course.ids
    await watch(learner, first, (0, 60))
    await watch(learner, second, (0, 100))
    refused = await claim(learner, course)
    assert refused.json()["detail"].count("“") == 1, "one lecture is missing"
    await watch(learner, second, (100, 108))
    assert (await claim(learner, course)).status_code == 201


async def test_it_is_issued_once_however_often_it_is_claimed(sign_in, course, backend):
    learner = sign_in("learner", "eager")
    await complete(learner, course)
    answers = await asyncio.gather(*(claim(learner, course, name=f"N{n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    codes = {answer.json()["code"] for answer in answers}
    again = await claim(learner, course)
    assert (again.status_code, {again.json()["code"]}) == (200, codes)
    events = backend.stores.database.events
    kept = await events.find({"kind": "certificate.issued", "data.subject": "eager"}).to_list()
    assert [each["data"]["code"] for each in kept] == list(codes)
    listed = (await learner.get("/v1/me/certificates")).json()["items"]
    assert [each["code"] for each in listed] == list(codes)


async def test_anybody_with_the_code_can_verify_it(anyone, issued, course):
    code = issued["code"]
    assert len(code.replace("-", "")) == 25
    typed = code.upper().replace("-", " ").replace("0", "o").replace("1", "l")
    for written in (code, typed):
        found = await anyone.get(f"/v1/certificates/{written}", params={"lang": "zh"})
        assert found.status_code == 200
        assert found.json()["code"] == code
        assert (found.json()["status"], found.json()["name"]) == ("valid", "张三丰")
    found = await anyone.get(f"/v1/certificates/{code}", params={"lang": "en"})
    assert found.json()["course"]["title"] == "Introduction to the cloud"
    assert found.json()["instructors"] == ["Li Si"]
    assert "zhang" not in found.text, "the account is nobody's business"
    assert (await anyone.get("/v1/certificates/00000-00000")).status_code == 404


async def test_it_stays_as_it_was_when_the_course_changes(anyone, sign_in, add_curriculum, teacher):
    course = await add_curriculum(30.0)
    learner = sign_in("learner", "early")
    await complete(learner, course)
    code = (await claim(learner, course)).json()["code"]
    path = f"/v1/courses/{course.slug}"
    await teacher.patch(path, json={"title": {"zh": "改名", "en": "Renamed"}})
    await teacher.delete(path)
    found = await anyone.get(f"/v1/certificates/{code}", params={"lang": "zh"})
    assert found.json()["course"]["title"] == "课程"


async def test_rules_say_which_lectures_count_and_how_much(sign_in, add_curriculum, teacher):
    course = await add_curriculum(100.0, 50.0)
    path = f"/v1/courses/{course.slug}/completion-rules"
    usual = await teacher.get(path)
    assert usual.json() == {"course": course.slug, "share": 0.9, "lectures": None}
    rules = {"share": 0.5, "lectures": [course.lectures[100.0]]}
    changed = await teacher.put(path, json=rules, headers={"If-Match": usual.headers["etag"]})
    assert changed.json() == {"course": course.slug, **rules}
    stale = await teacher.put(path, json=rules, headers={"If-Match": usual.headers["etag"]})
    assert stale.status_code == 412
    wrong = await teacher.put(path, json={"lectures": ["nothing"]})
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/lectures/0"]
    learner = sign_in("learner", "half")
    await watch(learner, course.lectures[100.0], (50, 100))
    assert (await claim(learner, course)).status_code == 201


async def test_nothing_is_completed_where_nothing_can_be_watched(sign_in, add_course, add_lecture):
    await add_course("empty", published=True)
    await add_lecture("empty", published=True)
    answer = await sign_in("learner").post("/v1/courses/empty/certificate")
    assert answer.status_code == 409
    assert "none of its lectures" in answer.json()["detail"]


async def test_a_lecture_that_grew_must_be_watched_further(sign_in, add_curriculum, backend):
    course = await add_curriculum(10.0)
    learner = sign_in("learner", "grown")
    await complete(learner, course)
    await set_duration(backend.stores, course.ids[0], 100.0)
    assert (await claim(learner, course)).status_code == 409


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_it_prints_as_one_page_with_its_fonts_inside(anyone, issued, language):
    answer = await anyone.get(f"/v1/certificates/{issued['code']}/pdf", params={"lang": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    document = PdfReader(io.BytesIO(answer.content))
    assert len(document.pages) == 1
    text = document.pages[0].extract_text()
    heading = {"zh": "结业证书", "en": "Certificate of completion"}[language]
    title = {"zh": "云计算导论", "en": "Introduction to the cloud"}[language]
    for part in (heading, "张三丰", title, "浙江大学", issued["code"].upper(), issued["code"]):
        assert part in text
    resources: Any = document.pages[0]["/Resources"]
    for font in resources["/Font"].values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile2" in descendant["/FontDescriptor"].get_object()


async def public_key(anyone, token: str) -> Ed25519PublicKey:
    """Where the badge itself says that it is."""
    header = json.loads(_decoded(token.split(".", maxsplit=1)[0]))
    assert header["alg"] == "EdDSA"
    assert header["kid"].startswith(f"{BASE}/v1/badges/keys/")
    found = await anyone.get(header["kid"])
    key = OKPAlgorithm.from_jwk(found.text)
    assert isinstance(key, Ed25519PublicKey)
    return key


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_a_library_that_is_not_ours_verifies_the_badge(anyone, issued):
    answer = await anyone.get(f"/v1/certificates/{issued['code']}/badge")
    assert answer.headers["content-type"] == "application/vc+jwt"
    key = await public_key(anyone, answer.text)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    credential = OB3Verifier(pubkey_pem=pem).verify(answer.text)
    assert credential.achievement.name == "云计算导论"
    assert credential.issuer.name == "云学堂 Academy"
    assert credential.issuer.id == f"{BASE}/v1/badges/issuer"
    issuer = (await anyone.get(credential.issuer.id)).json()
    assert (issuer["id"], issuer["type"]) == (credential.issuer.id, ["Profile"])
    head, body, signature = answer.text.split(".")
    forged = _decoded(body).replace("云计算导论".encode(), "云计算博士".encode())
    forgery = base64.urlsafe_b64encode(forged).decode().rstrip("=")
    with pytest.raises(OB3VerificationError):
        OB3Verifier(pubkey_pem=pem).verify(f"{head}.{forgery}.{signature}")


async def test_every_key_that_ever_signed_stays_published(anyone, api_settings):
    ring = json.loads(api_settings.badge_keys.read_text())
    published = (await anyone.get("/v1/badges/keys")).json()["keys"]
    assert [key["kid"] for key in published] == [key["kid"] for key in ring["keys"]]
    assert not any("d" in key for key in published)
    assert [("d" in key) for key in ring["keys"]] == [True, False]
    for key in published:
        path = f"/v1/badges/keys/{key['kid']}"
        read = await anyone.get(path)
        assert read.json() == key
        assert read.headers["cache-control"] == "public, no-cache"
        again = await anyone.get(path, headers={"If-None-Match": read.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert (await anyone.get("/v1/badges/keys/none")).status_code == 404


async def test_a_ring_that_is_none_is_refused_with_a_sentence(tmp_path):
    file = tmp_path / "keys.json"
    for text in ("", "{}", '{"keys": []}', '{"keys": [{"kty": "RSA", "crv": "", "kid": "1"}]}'):
        file.write_text(text)
        with pytest.raises(SettingsError, match="academy badge-key"):
            BadgeKeys.read(file)


async def test_a_revoked_certificate_says_so_everywhere(
    anyone, admin, teacher, sign_in, course, issued
):
    learner = sign_in("learner", "cheat")
    await complete(learner, course)
    code = (await claim(learner, course)).json()["code"]
    path = f"/v1/certificates/{code}"
    before = await anyone.get(path)
    body = {"reason": "Somebody else watched."}
    assert (await teacher.post(f"{path}/revoke", json=body)).status_code == 403
    assert (await admin.post(f"{path}/revoke", json=body)).status_code == 200
    await admin.post(f"{path}/revoke", json={"reason": "Again."})
    after = await anyone.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert (after.json()["status"], after.json()["reason"]) == ("revoked", body["reason"])
    assert (await claim(learner, course)).json()["status"] == "revoked"
    assert (await anyone.get(f"{path}/badge")).status_code == 404
    page = PdfReader(io.BytesIO((await anyone.get(f"{path}/pdf?lang=en")).content)).pages[0]
    assert "This certificate was revoked" in page.extract_text()
    listed = (await anyone.get("/v1/badges/revocations")).json()["revokedCredential"]
    revoked = [each["id"] for each in listed]
    assert f"{BASE}/v1/certificates/{code}" in revoked
    assert f"{BASE}/v1/certificates/{issued['code']}" not in revoked


async def test_the_status_of_a_badge_leads_to_the_revocations(anyone, issued):
    token = (await anyone.get(f"/v1/certificates/{issued['code']}/badge")).text
    status = json.loads(_decoded(token.split(".")[1]))["credentialStatus"]
    assert status["type"] == "1EdTechRevocationList"
    found: httpx.Response = await anyone.get(status["id"])
    assert found.json()["id"] == status["id"]
