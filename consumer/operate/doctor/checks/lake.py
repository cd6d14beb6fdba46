"""Checks of the bucket: where it is, and whether it may be read and written. Pure."""

from collections.abc import Iterator

from consumer.operate.doctor.facts import LakeFacts, Unknown
from consumer.operate.doctor.findings import Finding, fine, not_checked, problem
from consumer.settings import ConsumerSettings
from schemas.keys import ERRORS_PREFIX, RAW_PREFIX


def check_lake(lake: LakeFacts | Unknown, settings: ConsumerSettings) -> Iterator[Finding]:
    """Check the bucket; permissions as far as they can be tried without leaving a trace."""
    bucket = settings.bucket_name
    if isinstance(lake, Unknown):
        yield problem("bucket", lake.reason, lake.remedy)
        yield not_checked("bucket permissions", "the bucket could not be asked", "see above")
        return
    if lake.region not in (None, settings.aws_region):
        yield problem(
            "bucket",
            f"s3://{bucket} is in {lake.region}, AWS_REGION is {settings.aws_region}",
            f"set AWS_REGION={lake.region}; S3 announces only to queues of its own region",
        )
    else:
        yield fine("bucket", f"s3://{bucket} answers")
    for check, what, refused in (
        ("reading", f"{RAW_PREFIX}* may be read", lake.reading),
        ("error logs", f"{ERRORS_PREFIX}* may be written", lake.writing),
    ):
        if refused is None:
            yield fine(check, what)
        elif refused.is_denial:
            yield problem(check, refused.reason, refused.remedy)
        else:
            yield not_checked(check, refused.reason, refused.remedy)
