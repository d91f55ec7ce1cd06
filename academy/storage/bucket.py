"""`python -m academy.storage.bucket`: makes the bucket that the settings name, with its CORS rules.

For new installations; running it again changes nothing. Needs the right to create buckets, which the
services do not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from academy.errors import AcademyError, SettingsError
from academy.settings import Settings
from academy.storage import open_storage
from academy.storage.s3 import S3Storage
from academy.storage.s3_errors import MISSING_OBJECT, code_of, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

_MINE_ALREADY = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


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
            "AllowedOrigins": list(dict.fromkeys([own, *settings.cors_origins])),
            "AllowedMethods": ["PUT"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 86_400,
        },
        {
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
            "MaxAgeSeconds": 86_400,
        },
    ]


def set_cors(storage: S3Storage, settings: Settings) -> None:
    """Raises Unavailable, also from servers whose CORS is set elsewhere (OSS, Swift)."""
    with translated(storage.bucket):
        storage.client.put_bucket_cors(
            Bucket=storage.bucket, CORSConfiguration={"CORSRules": cors_rules(settings)}
        )


def main() -> int:
    """Exit status 0 when the bucket is there; CORS that cannot be set is only said."""
    try:
        settings = Settings.load()
        storage = open_storage(settings, None)
        if not isinstance(storage, S3Storage):
            sys.stdout.write("The storage is a folder: it needs no bucket.\n")
            return 0
        made = make_bucket(storage)
    except AcademyError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2 if isinstance(error, SettingsError) else 1
    sys.stdout.write(f"Bucket {storage.bucket}: {'made' if made else 'was there'}.\n")
    try:
        set_cors(storage, settings)
    except AcademyError as error:
        sys.stderr.write(f"CORS was not set: {error.message} `academy doctor` says if it works.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
