"""Preparing the lake: its folder markers, and advice on the bucket's settings."""

import re
from collections.abc import Iterable, Mapping

from producer.lake import Lake, LakeObject
from runtime.aws_clients import notification_command
from schemas.keys import FOLDERS

_COMMANDS = {
    "versioning": (
        "aws s3api put-bucket-versioning --bucket {} --versioning-configuration Status=Enabled"
    ),
    "default encryption": (
        "aws s3api put-bucket-encryption --bucket {} --server-side-encryption-configuration "
        '\'{{"Rules":[{{"ApplyServerSideEncryptionByDefault":{{"SSEAlgorithm":"AES256"}}}}]}}\''
    ),
    "public access block": (
        "aws s3api put-public-access-block --bucket {} --public-access-block-configuration "
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,"
        "RestrictPublicBuckets=true"
    ),
}
# SQS Developer Guide, "Queue URLs"; China's end in .cn and have a partition of their own.
_QUEUE_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/(\d+)/([\w-]+)")


async def create_folders(lake: Lake, *, dry_run: bool) -> list[str]:
    """Create the folder markers that are missing, except in a dry run; return them."""
    missing = [folder for folder in FOLDERS if await lake.metadata(folder) is None]
    if not dry_run:
        for folder in missing:
            await lake.put(LakeObject(folder, b"", {}))
    return missing


def advise(
    settings: Mapping[str, bool | None], bucket: str, prefixes: Iterable[str], queue_url: str | None
) -> list[str]:
    """Return what to turn on, with the command; None in `settings` means unreadable."""
    commands = {setting: command.format(bucket) for setting, command in _COMMANDS.items()}
    commands["notification"] = notification_command(bucket, _queue_arn(queue_url), prefixes)
    return [
        f"{setting}: {'off' if is_on is False else 'may not be read'}; to turn it on:\n"
        f"  {commands[setting]}"
        for setting, is_on in settings.items()
        if not is_on
    ]


def _queue_arn(url: str | None) -> str:
    """Return a queue's ARN, which the producer may not ask for, or what to put in its place."""
    if not (found := _QUEUE_URL.fullmatch(url or "")):
        return "ARN_OF_THE_QUEUE"
    region, china, account, name = found.groups()
    partition = "aws-cn" if china else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:sqs:{region}:{account}:{name}"
