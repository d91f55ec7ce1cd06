"""Makes the bucket that the settings name and sets it up: `academy storage setup`.

May be repeated at any time: what is as it should be stays, rules of others stay. Needs more rights
than the services do: to make buckets and to change their CORS rules, lifecycle and policy. Servers
that do not offer one of these say so; `academy doctor` then tells whether all works nevertheless.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from academy.errors import AcademyError, Unavailable
from academy.settings import Settings
from academy.storage.s3 import S3Storage
from academy.storage.s3_errors import MISSING_OBJECT, code_of, translated
from academy.uploads import LIFETIME

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef, LifecycleRuleTypeDef

ABANDONED_RULE: Final = "academy-abandoned-uploads"
PARTS_RULE: Final = "academy-parts"
MEDIA_RULE: Final = "academy-media"
PUBLIC_STATEMENT: Final = "AcademyPublicMedia"
ABANDONED_DAYS: Final = LIFETIME.days + 1
"""One more than an upload may last."""

_READABLE: Final = ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"]
_MINE_ALREADY = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
_NONE_YET = {
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchKey",
    "404",
}
_NOT_OFFERED = {
    "NotImplemented", "XNotImplemented", "MethodNotAllowed", "501", "405",
    # Swift overlooks what it does not know in the query and takes the rules for a new bucket's.
    "MalformedXML",
}  # fmt: skip


class _NotThatServer(Exception):
    """It answered something else than it was asked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """`done` None: this server does not offer it."""

    name: str
    done: bool | None
    detail: str


def set_up(storage: S3Storage, settings: Settings) -> Iterator[Step]:
    """Ends after a bucket that cannot be made."""
    try:
        made = make_bucket(storage)
    except Unavailable as error:
        yield Step("bucket", False, error.message)
        return
    yield Step("bucket", True, f"{storage.bucket} {'made' if made else 'was there'}")
    tasks: tuple[tuple[str, str, Callable[[S3Storage, Settings], bool]], ...] = (
        ("CORS", _CORS_ELSEWHERE, _set_cors),
        ("abandoned uploads", _LIFECYCLE_ELSEWHERE, _set_lifecycle),
        ("public media", _POLICY_ELSEWHERE, _set_policy),
    )
    for name, elsewhere, task in tasks:
        yield _tried(storage, settings, name, elsewhere, task)


_CORS_ELSEWHERE = "set it in the server's own configuration or console"
_LIFECYCLE_ELSEWHERE = f"let the server's console end multipart uploads after {ABANDONED_DAYS} days, or run `academy gc`"
_POLICY_ELSEWHERE = "media are read through signed links, or a CDN with rights of its own"


def _tried(
    storage: S3Storage,
    settings: Settings,
    name: str,
    elsewhere: str,
    task: Callable[[S3Storage, Settings], bool],
) -> Step:
    try:
        with translated(storage.bucket):
            changed = task(storage, settings)
    except _NotThatServer:
        return Step(name, None, f"this server does not offer it: {elsewhere}")
    except AcademyError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and _not_offered(cause):
            return Step(
                name, None, f"this server does not offer it ({code_of(cause)}): {elsewhere}"
            )
        hint = " Is “block public access” on for the bucket?" if name == "public media" else ""
        return Step(name, False, error.message + hint)
    return Step(name, True, "set" if changed else "was as it should be")


def _not_offered(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code_of(error) in _NOT_OFFERED or status in {405, 501}


def make_bucket(storage: S3Storage) -> bool:
    """False when it was there. Raises Unavailable."""
    with translated(storage.bucket):
        try:
            storage.client.head_bucket(Bucket=storage.bucket)
        except ClientError as error:
            if code_of(error) not in {*MISSING_OBJECT, "NoSuchBucket"}:
                raise
        else:
            return False
        try:
            storage.client.create_bucket(Bucket=storage.bucket)
        except ClientError as error:
            # Somebody else was faster.
            if code_of(error) not in _MINE_ALREADY:
                raise
            return False
    return True


def cors_rules(settings: Settings) -> list[CORSRuleTypeDef]:
    """Media may be read by pages of any origin, parts be sent by the front ends' only."""
    own = "{0.scheme}://{0.netloc}".format(urlsplit(settings.public_url))
    return [
        {
            "ID": PARTS_RULE,
            "AllowedOrigins": list(dict.fromkeys([own, *settings.cors_origins])),
            # Reading as well: Ceph looks no further than the first rule with the page's origin.
            "AllowedMethods": ["PUT", "GET", "HEAD"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": _READABLE,
            "MaxAgeSeconds": 86_400,
        },
        {
            "ID": MEDIA_RULE,
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": _READABLE,
            "MaxAgeSeconds": 86_400,
        },
    ]


def lifecycle_rule(storage: S3Storage) -> LifecycleRuleTypeDef:
    return {
        "ID": ABANDONED_RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": f"{storage.prefix}recordings/"},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABANDONED_DAYS},
    }


def public_statement(storage: S3Storage) -> dict[str, Any]:
    """Published media and drafts alike: a draft's unguessable key is then its only protection."""
    return {
        "Sid": PUBLIC_STATEMENT,
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{storage.bucket}/{storage.prefix}media/*"],
    }


def _set_cors(storage: S3Storage, settings: Settings) -> bool:
    found: list[Any] = _present(
        lambda: storage.client.get_bucket_cors(Bucket=storage.bucket).get("CORSRules", []), []
    )
    rules: list[Any] = list(cors_rules(settings))
    # First ours: servers take the first rule that fits.
    wanted = [*rules, *(rule for rule in found if rule.get("ID") not in {PARTS_RULE, MEDIA_RULE})]
    if _same(found, wanted):
        return False
    storage.client.put_bucket_cors(Bucket=storage.bucket, CORSConfiguration={"CORSRules": wanted})
    return True


def _set_lifecycle(storage: S3Storage, _: Settings) -> bool:
    client, bucket = storage.client, storage.bucket
    found: list[Any] = _present(
        lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", []), []
    )
    wanted = [
        *(rule for rule in found if rule.get("ID") != ABANDONED_RULE),
        lifecycle_rule(storage),
    ]
    if _same(found, wanted):
        return False
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": wanted}
    )
    return True


def _set_policy(storage: S3Storage, settings: Settings) -> bool:
    client, bucket = storage.client, storage.bucket
    text: str = _present(lambda: client.get_bucket_policy(Bucket=bucket)["Policy"], "{}")
    try:
        policy: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise _NotThatServer from error
    found = policy.get("Statement", [])
    wanted = [each for each in found if each.get("Sid") != PUBLIC_STATEMENT]
    if settings.s3_public_media:
        wanted.append(public_statement(storage))
    if _same(found, wanted):
        return False
    if wanted:
        whole = {"Version": "2012-10-17", **policy, "Statement": wanted}
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(whole))
    else:
        client.delete_bucket_policy(Bucket=bucket)
    return True


def abandoned_days(storage: S3Storage) -> int | None:
    """After how many days the bucket ends abandoned uploads of recordings; None for never.

    Raises Unavailable, also where the server does not tell.
    """
    with translated(storage.bucket):
        rules: list[Any] = _present(
            lambda: storage.client.get_bucket_lifecycle_configuration(Bucket=storage.bucket).get(
                "Rules", []
            ),
            [],
        )
    days = [
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for rule in rules
        if rule.get("Status") == "Enabled"
        and "AbortIncompleteMultipartUpload" in rule
        and f"{storage.prefix}recordings/".startswith(_prefix_of(rule))
    ]
    return min(days, default=None)


def _prefix_of(rule: dict[str, Any]) -> str:
    of_filter = rule.get("Filter", {})
    found: str = of_filter.get("Prefix", rule.get("Prefix", ""))
    return found


def _present(read: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return read()
    except ClientError as error:
        if code_of(error) in _NONE_YET:
            return otherwise
        raise


def _same(one: Any, other: Any) -> bool:
    return bool(_ordered(one) == _ordered(other))


def _ordered(value: Any) -> Any:
    """Servers return lists and members in an order of their own."""
    if isinstance(value, dict):
        return sorted((name, _ordered(each)) for name, each in value.items())
    if isinstance(value, list):
        return sorted((_ordered(each) for each in value), key=repr)
    return value
