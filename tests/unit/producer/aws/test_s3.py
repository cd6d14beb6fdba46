"""What the SDK's errors mean for a run, and what the SDK is told."""

from collections.abc import Callable

import pytest

from producer.aws.errors import lake_error
from producer.aws.s3 import open_lake
from producer.errors import LakeClosed, LakeError, LakeRefused, LakeUnavailable
from producer.lake import LakeObject
from producer.settings import Settings
from runtime.aws_clients import AwsUnusable
from tests.support.aws_answers import answer

OBJECT = LakeObject("raw/erp/a.json", b"{}", {})


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchBucket", 404, LakeClosed),
        ("AccessDenied", 403, LakeClosed),
        ("SignatureDoesNotMatch", 403, LakeClosed),
        ("ExpiredToken", 400, LakeClosed),
        ("SomethingNew", 403, LakeClosed),
        ("AuthorizationHeaderMalformed", 400, LakeClosed),
        ("KMS.DisabledException", 400, LakeClosed),
        ("KMS.AccessDeniedException", 400, LakeClosed),
        ("SlowDown", 503, LakeUnavailable),
        ("RequestTimeout", 400, LakeUnavailable),
        ("InternalError", 500, LakeUnavailable),
        ("", 502, LakeUnavailable),
        ("KeyTooLongError", 400, LakeRefused),
        ("EntityTooLarge", 400, LakeRefused),
    ],
)
def test_every_answer_of_s3_has_a_meaning(code: str, status: int, kind: type[LakeError]) -> None:
    mapped = lake_error(answer(code, status), "lake")
    assert type(mapped) is kind
    assert (code or str(status)) in str(mapped) or "there is no bucket lake" in str(mapped)


async def test_nobody_listening_is_a_passing_failure(
    settings_for: Callable[..., Settings], unused_tcp_port: int
) -> None:
    settings = settings_for(
        aws_endpoint_url=f"http://127.0.0.1:{unused_tcp_port}",
        aws_region="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        lake_max_attempts=1,
    )
    async with open_lake(settings, concurrency=1) as lake:
        with pytest.raises(LakeUnavailable, match="check AWS_ENDPOINT_URL"):
            await lake.put(OBJECT)


async def test_an_unknown_profile_is_reported_before_anything_is_sent(
    settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsUnusable, match="nobody"):
        async with open_lake(settings_for(), concurrency=1):
            pass


async def test_missing_credentials_are_reported(
    settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    settings = settings_for(aws_endpoint_url="http://127.0.0.1:1", aws_region="us-east-1")
    async with open_lake(settings, concurrency=1) as lake:
        with pytest.raises(LakeClosed, match="credentials"):
            await lake.put(OBJECT)
