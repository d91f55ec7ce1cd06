"""How to reach an S3-compatible server. A session and client cost 100 ms: made once per connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

from academy.errors import SettingsError
from academy.storage.presign import Credentials

if TYPE_CHECKING:
    from botocore.credentials import Credentials as BotoCredentials
    from mypy_boto3_s3 import S3Client

PARALLEL = 16
"""Requests one storage sends at the same time when it has many to send."""


@dataclass(frozen=True)
class S3Connection:
    """Without explicit keys, credentials come the way boto3 finds them.

    `public_endpoint_url` is where clients reach the server, if not where this process does.
    """

    endpoint_url: str | None = None
    public_endpoint_url: str | None = None
    region: str = "us-east-1"
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    checksums: Literal["when_required", "when_supported"] = "when_required"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)

    @cached_property
    def client(self) -> S3Client:
        """One for all threads and storages. Raises SettingsError without credentials."""
        return self._client(self.endpoint_url)

    @cached_property
    def credentials(self) -> CredentialSource:
        source = self._session.get_credentials()
        if source is None:
            raise _no_credentials()
        return CredentialSource(source)

    def bucket_url(self, bucket: str) -> str:
        """The address of the bucket as clients see it, ending in a slash; botocore knows the styles."""
        client = self.client
        if self.public_endpoint_url not in {None, self.endpoint_url}:
            client = self._client(self.public_endpoint_url)
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        return url.partition("?")[0].removesuffix("k")

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
        )

    def _client(self, endpoint_url: str | None) -> S3Client:
        if self._session.get_credentials() is None:
            raise _no_credentials()
        return self._session.client("s3", endpoint_url=endpoint_url, config=self._config())

    def _config(self) -> Config:
        return Config(
            signature_version="s3v4",
            s3={"addressing_style": self.addressing_style},
            # boto3's newer default sends trailers that OSS, older Ceph and others refuse.
            request_checksum_calculation=self.checksums,
            response_checksum_validation=self.checksums,
            retries={"mode": "standard", "total_max_attempts": 5},
            connect_timeout=5,
            read_timeout=60,
            tcp_keepalive=True,
            max_pool_connections=2 * PARALLEL,
        )


class CredentialSource:
    """Gives the credentials of the moment: some kinds expire, and botocore renews them."""

    def __init__(self, source: BotoCredentials) -> None:
        self._source = source

    def now(self) -> Credentials:
        frozen = self._source.get_frozen_credentials()
        if not frozen.access_key or not frozen.secret_key:
            raise _no_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _no_credentials() -> SettingsError:
    return SettingsError(
        "There are no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or any other source boto3 knows."
    )
