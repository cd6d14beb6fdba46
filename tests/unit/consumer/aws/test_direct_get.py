"""Requests that are signed here are those that the SDK would send, and nothing odd is imitated."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import ReadOnlyCredentials

from consumer.aws.direct_get import Pattern, pattern_of, signed_get

NOW = datetime(2024, 6, 1, 12, 30, 5, tzinfo=UTC)
KEY = "raw/api_responses/x/storeId=S%C3%A3o Jo+ão/~1 (a)'!*.json"
PATTERN = Pattern("https://lake.s3.eu-west-1.amazonaws.com", "/", "eu-west-1", "SDK/1")


def sdk_authorization(request: AWSPreparedRequest, keys: ReadOnlyCredentials, region: str) -> str:
    """Sign the same request with botocore's own signer."""
    signed = ("host", "x-amz-checksum-mode", "x-amz-content-sha256")
    headers = {name: request.headers[name] for name in signed}
    asked = AWSRequest("GET", request.url, headers=headers)
    asked.context["payload_signing_enabled"] = True
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        S3SigV4Auth(keys, "s3", region).add_auth(asked)
    return str(asked.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "session-token"])
@pytest.mark.parametrize("version_id", [None, "a.b-c_d~e/+="])
@pytest.mark.parametrize(
    "pattern",
    [PATTERN, Pattern("http://localhost:4566", "/lake/", "us-east-1", "")],
    ids=["virtual host", "path"],
)
def test_the_signature_is_the_sdk_s(
    token: str | None, version_id: str | None, pattern: Pattern
) -> None:
    keys = ReadOnlyCredentials("AKID", "secret", token)
    request = signed_get(pattern, KEY, version_id, keys, NOW)
    assert sdk_authorization(request, keys, pattern.region) == request.headers["authorization"]


def sent(url: str, **headers: str) -> AWSPreparedRequest:
    usual = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20240601/eu-west-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "User-Agent": "SDK/1",
    }
    told = HTTPHeaders.from_dict(usual | headers)
    return AWSPreparedRequest("GET", url, told, None, stream_output=True)


def test_a_pattern_is_what_comes_before_the_key() -> None:
    assert PATTERN == pattern_of(sent(f"{PATTERN.origin}/a%20b/c?versionId=1"), "a b/c")
    by_path = pattern_of(sent("http://localhost:4566/lake/a%20b"), "a b")
    assert Pattern("http://localhost:4566", "/lake/", "eu-west-1", "SDK/1") == by_path


@pytest.mark.parametrize(
    "request_of_the_sdk",
    [
        sent(f"{PATTERN.origin}/other"),
        sent(f"{PATTERN.origin}/key", Authorization="AWS4-ECDSA-P256-SHA256 Credential=AKID/x"),
        sent(f"{PATTERN.origin}/key", Authorization=""),
        sent(f"{PATTERN.origin}/key", **{"x-amz-s3session-token": "express"}),
    ],
    ids=["another key", "multi-region", "unsigned", "S3 Express"],
)
def test_what_is_not_usual_is_not_imitated(request_of_the_sdk: AWSPreparedRequest) -> None:
    assert pattern_of(request_of_the_sdk, "key") is None
