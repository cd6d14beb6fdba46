"""What a new lake lacks, and what is said about its bucket."""

import pytest

from producer.lake import LakeObject
from producer.sending.init_lake import advise, create_folders
from schemas.keys import FOLDERS
from tests.support.producer_fakes import FakeLake


async def test_only_the_missing_markers_are_written(lake: FakeLake) -> None:
    for folder in (FOLDERS[0], FOLDERS[2]):
        lake.objects[folder] = LakeObject(folder, b"kept", {})
    missing = [folder for folder in FOLDERS if folder not in lake.objects]
    assert await create_folders(lake, dry_run=True) == missing
    assert len(lake.objects) == 2
    assert await create_folders(lake, dry_run=False) == missing
    assert {key for key, obj in lake.objects.items() if obj.body == b""} == set(missing)


def test_what_is_off_or_unknown_is_advised_on_with_the_command() -> None:
    settings = {"versioning": False, "default encryption": None, "public access block": True}
    off, unknown = advise(settings, "lake", ["raw/"], None)
    assert off.startswith("versioning: off; to turn it on:\n  aws s3api put-bucket-versioning")
    assert unknown.startswith("default encryption: may not be read; to turn it on:\n  aws s3api ")
    assert "--bucket lake " in off
    assert "--bucket lake " in unknown


def test_a_bucket_that_is_well_set_up_needs_no_advice() -> None:
    settings = dict.fromkeys(("versioning", "default encryption"), True)
    assert advise(settings, "lake", ["raw/"], None) == []


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        (
            "https://sqs.sa-east-1.amazonaws.com/123456789012/coco",
            "arn:aws:sqs:sa-east-1:123456789012:coco",
        ),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "arn:aws-cn:sqs:cn-north-1:1:q"),
        ("https://sqs.us-gov-west-1.amazonaws.com/1/q", "arn:aws-us-gov:sqs:us-gov-west-1:1:q"),
        ("http://127.0.0.1:4566/000000000000/q", "ARN_OF_THE_QUEUE"),
        (None, "ARN_OF_THE_QUEUE"),
    ],
)
def test_the_command_for_the_notification_names_the_queue_where_its_url_tells(
    url: str | None, arn: str
) -> None:
    [advice] = advise({"notification": False}, "lake", ["raw/"], url)
    assert f'"QueueArn": "{arn}"' in advice
