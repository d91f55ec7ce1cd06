"""Signature Version 4 in the query: Amazon's published example, and botocore's own answers."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from academy.storage.presign import Credentials, presigned

AT = datetime(2026, 11, 2, 23, 59, 58, tzinfo=UTC)


def test_amazon_s_published_example_comes_out():
    url = presigned(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        credentials=Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region="us-east-1",
        at=datetime(2013, 5, 24, tzinfo=UTC),
        expires_in=86_400,
    )
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@pytest.mark.parametrize(
    ("method", "key", "query", "headers", "token"),
    [
        ("GET", "media/9f/v720/12-1.m4s", {}, {}, None),
        ("GET", "字幕/é +&=?#%~*'()!@$:;,", {}, {}, None),
        ("PUT", "a", {"partNumber": "7", "uploadId": "a+b/c=="}, {}, None),
        ("PUT", "a/b", {"partNumber": "10", "uploadId": "x"}, {"Content-MD5": "MTIz+/="}, None),
        ("PUT", "a/b", {"uploadId": "x"}, {"Content-Length": "5242880"}, None),
        ("GET", "a", {}, {}, "session/token+with=signs"),
    ],
)
def test_botocore_signs_the_same(
    method: str, key: str, query: dict[str, str], headers: dict[str, str], token: str | None
):
    base = "http://storage.example:8333/bucket/" + quote(key, safe="/~")
    ours = presigned(
        method,
        base,
        credentials=Credentials("AK", "SK", token),
        region="cn-hangzhou",
        at=AT,
        expires_in=3600,
        query=query,
        headers=headers,
    )
    asked = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in query.items())
    request = AWSRequest(method, f"{base}?{asked}" if asked else base, headers=headers)
    request.context["payload_signing_enabled"] = False
    signer = S3SigV4QueryAuth(BotoCredentials("AK", "SK", token), "s3", "cn-hangzhou", 3600)
    with mock.patch("botocore.auth.get_current_datetime", return_value=AT.replace(tzinfo=None)):
        signer.add_auth(request)
    theirs = urlsplit(request.url)
    assert urlsplit(ours).path == theirs.path
    assert dict(parse_qsl(urlsplit(ours).query)) == dict(parse_qsl(theirs.query))


def test_secrets_do_not_show_when_credentials_are_printed():
    assert "hidden" not in repr(Credentials("AK", "hidden", "hidden too"))
