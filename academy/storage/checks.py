"""What `academy doctor` tries out on the storage, as a client would meet it; leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import httpx

from academy.errors import AcademyError
from academy.ids import new_id
from academy.object_stores import LocalFiles, Storage
from academy.settings import Settings

PATIENCE = 10.0
"""Seconds for one HTTP answer."""
PRIVATE_OR_NOT = ("recordings", "media")
"""What must be private, and what may be public."""
_BODY = b"academy doctor"
_LIFETIME = 300


@dataclass(frozen=True, slots=True)
class Check:
    """`ok` None: not wrong, but worth knowing. `detail` says what to do where it is not well."""

    name: str
    ok: bool | None
    detail: str


def check_storage(storage: Storage, settings: Settings) -> list[Check]:
    """Write, read back, sign, CORS, privacy. What needs an earlier one that failed is left out."""
    probe = new_id()
    try:
        return list(_checks(storage, probe, settings))
    finally:
        for folder in ("health", *PRIVATE_OR_NOT):
            with suppress(AcademyError, OSError):
                storage.delete_prefix(f"{folder}/{probe}/")


def _checks(storage: Storage, probe: str, settings: Settings) -> Iterator[Check]:
    key = f"health/{probe}/probe"
    for name, try_out in (("write", _write), ("read", _read)):
        check = _tried(name, partial(try_out, storage, key))
        yield check
        if not check.ok:
            return
    if isinstance(storage, LocalFiles) and settings.secret_key is None:
        yield Check(
            "sign", None, "not tried: ACADEMY_SECRET_KEY, which signs the links, is not set."
        )
        return
    with httpx.Client(timeout=PATIENCE) as client:
        link = storage.signed_url(key, expires_in=_LIFETIME)
        try:
            signed = _sign(client, link, storage)
        except httpx.HTTPError as error:
            yield _unreachable(link, storage, error)
            return
        yield signed
        if signed.ok:
            yield _tried("CORS", partial(_cors, client, storage, key, settings))
            for folder in PRIVATE_OR_NOT:
                probed = f"{folder}/{probe}/probe"
                yield _tried(
                    f"privacy of {folder}", partial(_privacy, client, storage, probed, settings)
                )
            if settings.public_media_url is not None:
                address = f"{settings.public_media_url}/media/{probe}/probe"
                yield _tried("public media", partial(_served, client, address))
    if not isinstance(storage, LocalFiles):
        yield _abandoned(storage)


def _tried(name: str, try_out: Callable[[], tuple[bool | None, str]]) -> Check:
    try:
        ok, detail = try_out()
    except AcademyError as error:
        return Check(name, False, error.message)
    except (OSError, httpx.HTTPError) as error:
        return Check(name, False, f"{error}. Check ACADEMY_STORAGE_URL, its rights and its space.")
    return Check(name, ok, detail)


def _write(storage: Storage, key: str) -> tuple[bool, str]:
    storage.put(key, _BODY, content_type="text/plain", cache_control="no-store")
    return True, "an object can be written"


def _read(storage: Storage, key: str) -> tuple[bool, str]:
    info = storage.stat(key)
    body = b"".join(storage.read(key, start=1))
    listed = [entry.key for entry in storage.list(key.rpartition("/")[0] + "/")]
    if body != _BODY[1:] or listed != [key]:
        return False, "other bytes came back than were written: this storage cannot be used."
    if (info.content_type, info.cache_control) != ("text/plain", "no-store"):
        return False, (
            f"the headers came back as {info.content_type!r}, {info.cache_control!r}: browsers and "
            "CDNs need Content-Type and Cache-Control as they were set."
        )
    return True, "it comes back with its headers"


def _sign(client: httpx.Client, link: str, storage: Storage) -> Check:
    answer = client.get(link)
    if answer.status_code == 200 and answer.content == _BODY:
        return Check("sign", True, "a signed link gives it to a client")
    if isinstance(storage, LocalFiles):
        remedy = (
            "is the API at ACADEMY_PUBLIC_URL this one, with this ACADEMY_SECRET_KEY and storage?"
        )
    else:
        remedy = "check ACADEMY_S3_REGION, ACADEMY_S3_ADDRESSING_STYLE and the clocks."
    return Check("sign", False, f"a signed link was answered with {answer.status_code}: {remedy}")


def _unreachable(link: str, storage: Storage, error: httpx.HTTPError) -> Check:
    host = "{0.scheme}://{0.netloc}".format(urlsplit(link))
    if isinstance(storage, LocalFiles):
        return Check("sign", None, f"not tried: the API at {host} does not answer yet.")
    return Check(
        "sign",
        False,
        f"clients cannot reach {host} ({error}): set ACADEMY_S3_PUBLIC_ENDPOINT_URL to the "
        "address of the storage as they see it.",
    )


def _cors(client: httpx.Client, storage: Storage, key: str, settings: Settings) -> tuple[bool, str]:
    """Pages of these origins send parts, read the ETag of the answer, and play media."""
    part_key = key + "-upload"
    upload_id = storage.start(part_key, content_type="text/plain")
    try:
        part = storage.sign_part(part_key, upload_id, 1, expires_in=_LIFETIME)
        link = storage.signed_url(key, expires_in=_LIFETIME)
        for origin in _origins(settings):
            missing = _refused(client, part.url, link, origin)
            if missing:
                return False, (
                    f"pages of {origin} {missing}: allow this origin GET, HEAD and PUT with all headers "
                    "in the CORS rules of the bucket, and expose ETag."
                )
    finally:
        storage.abort(part_key, upload_id)
    return True, "pages of every origin in the settings can upload and play"


def _origins(settings: Settings) -> list[str]:
    own = "{0.scheme}://{0.netloc}".format(urlsplit(settings.public_url))
    return [own, *settings.cors_origins]


def _refused(client: httpx.Client, part_url: str, link: str, origin: str) -> str | None:
    asked = client.options(
        part_url,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-md5",
        },
    )
    methods = asked.headers.get("access-control-allow-methods", "").upper()
    if not _allows(asked, origin) or not ("PUT" in methods or "*" in methods):
        return "may not send parts"
    sent = client.put(part_url, content=_BODY, headers={"Origin": origin})
    exposed = sent.headers.get("access-control-expose-headers", "").lower()
    if not _allows(sent, origin) or not ("etag" in exposed or "*" in exposed):
        return "cannot read the ETag of the parts they send"
    if not _allows(client.get(link, headers={"Origin": origin}), origin):
        return "cannot play media"
    return None


def _allows(answer: httpx.Response, origin: str) -> bool:
    return answer.is_success and answer.headers.get("access-control-allow-origin") in {"*", origin}


def _privacy(
    client: httpx.Client, storage: Storage, key: str, settings: Settings
) -> tuple[bool | None, str]:
    """Whether an object like those below this folder can be had without a signature."""
    storage.put(key, _BODY, content_type="text/plain", cache_control="no-store")
    link = storage.signed_url(key, expires_in=_LIFETIME)
    public = client.get(link.partition("?")[0]).is_success
    if key.startswith("recordings/"):
        if public:
            return False, (
                "everybody may read recordings as they were uploaded, of drafts as well: take the "
                "right to read from the public in the bucket's policy and access list."
            )
        return True, "nobody reads one without a signed link"
    if settings.s3_public_media and not public:
        return False, "ACADEMY_S3_PUBLIC_MEDIA is on but they are private: `academy storage setup`."
    if public:
        return None, "everybody may read them: only their unguessable names protect drafts."
    return True, "nobody reads them without a signed link"


def _served(client: httpx.Client, address: str) -> tuple[bool, str]:
    """The probe is there since the check of privacy."""
    answer = client.get(address)
    if answer.is_success and answer.content == _BODY:
        return True, "ACADEMY_PUBLIC_MEDIA_URL serves what is in the storage"
    return False, (
        f"ACADEMY_PUBLIC_MEDIA_URL answered {answer.status_code} for an object that is there: give "
        "the CDN the right to read `media/` of this bucket, or correct the address."
    )


def _abandoned(storage: Storage) -> Check:
    from academy.storage.bucket import ABANDONED_DAYS, abandoned_days
    from academy.storage.s3 import S3Storage

    name = "abandoned uploads"
    if not isinstance(storage, S3Storage):
        return Check(name, None, "not known of this storage")
    try:
        days = abandoned_days(storage)
    except AcademyError:
        return Check(name, None, "the server does not tell its lifecycle rules: run `academy gc`.")
    if days is None:
        return Check(name, None, "no rule ends them: `academy storage setup`, or run `academy gc`.")
    if days < ABANDONED_DAYS:
        return Check(
            name, False, f"ended after {days} days, but uploads may last {ABANDONED_DAYS - 1}."
        )
    return Check(name, True, f"ended by the server after {days} days")
