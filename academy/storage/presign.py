"""Presigned S3 requests: AWS Signature Version 4 in the query string.

Written out here because botocore signs with the present second and takes ten times as long: links must be
the same in every process for a while, so that what embeds them can be cached and has one ETag.
Source: Amazon S3 API reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

LONGEST = 7 * 24 * 3600
"""Seconds a presigned link may live."""


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def presigned(
    method: str,
    url: str,
    *,
    credentials: Credentials,
    region: str,
    at: datetime,
    expires_in: int,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """The link, valid for `expires_in` seconds from `at` (UTC).

    `url` has a percent-encoded path and no query. The request must carry exactly these `headers`.
    """
    parts = urlsplit(url)
    signed = {"host": parts.netloc} | {k.lower(): v.strip() for k, v in (headers or {}).items()}
    names = ";".join(sorted(signed))
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    values = dict(query or {}) | {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires_in),
        "X-Amz-SignedHeaders": names,
    }
    if credentials.token is not None:
        values["X-Amz-Security-Token"] = credentials.token
    canonical_query = "&".join(
        sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in values.items())
    )
    request = "\n".join(
        [
            method,
            parts.path or "/",
            canonical_query,
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            "UNSIGNED-PAYLOAD",
        ]
    )
    digest = hashlib.sha256(request.encode()).hexdigest()
    message = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    key = f"AWS4{credentials.secret_key}".encode()
    for step in (stamp[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, message.encode(), "sha256").hex()
    return f"{url}?{canonical_query}&X-Amz-Signature={signature}"
