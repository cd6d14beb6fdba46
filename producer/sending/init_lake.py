"""Preparing the lake: its folder markers, and advice on the bucket's settings.

Creates what is missing, changes no setting and deletes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.keys import FOLDERS

_WANTED = (
    (
        "versioning",
        "aws s3api put-bucket-versioning --bucket {} --versioning-configuration Status=Enabled",
    ),
    (
        "default encryption",
        (
            "aws s3api put-bucket-encryption --bucket {} --server-side-encryption-configuration "
            '\'{{"Rules":[{{"ApplyServerSideEncryptionByDefault":{{"SSEAlgorithm":"AES256"}}}}]}}\''
        ),
    ),
    (
        "public access block",
        (
            "aws s3api put-public-access-block --bucket {} --public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,"
            "RestrictPublicBuckets=true"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """A bucket's settings; None where one could not be read.

    Attributes:
        versioning: Whether replaced objects are kept.
        encryption: Whether objects are encrypted by default.
        public_access_blocked: Whether all four blocks of public access are on.
    """

    versioning: bool | None
    encryption: bool | None
    public_access_blocked: bool | None


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting that should be changed, and the command that does it."""

    setting: str
    found: str
    command: str


class Bucket(Protocol):
    """A bucket as `init-lake` uses it. Every call may raise a `LakeError`."""

    async def metadata(self, key: str) -> object | None:
        """Return something if the object exists."""
        ...

    async def put_marker(self, key: str) -> None:
        """Write an empty object."""
        ...

    async def bucket_settings(self) -> BucketSettings:
        """Read how the bucket is set up."""
        ...


async def create_folders(bucket: Bucket, *, dry_run: bool) -> list[str]:
    """Create the folder markers that are missing; return them. Safe to repeat.

    Args:
        bucket: The lake.
        dry_run: Whether to create nothing.

    Raises:
        LakeError: One could not be looked for or written.
    """
    missing = [folder for folder in FOLDERS if await bucket.metadata(folder) is None]
    if not dry_run:
        for folder in missing:
            await bucket.put_marker(folder)
    return missing


def advise(settings: BucketSettings, name: str) -> Sequence[Advice]:
    """Return what should be changed in a bucket's settings."""
    states = (settings.versioning, settings.encryption, settings.public_access_blocked)
    return [
        Advice(setting, "off" if state is False else "may not be read", command.format(name))
        for (setting, command), state in zip(_WANTED, states, strict=True)
        if not state
    ]
