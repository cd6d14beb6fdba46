"""What a new lake lacks, and what is said about its bucket."""

from producer.sending.init_lake import BucketSettings, advise, create_folders
from schemas.keys import FOLDERS


class FakeBucket:
    """A bucket with some keys."""

    def __init__(self, keys: set[str]) -> None:
        self.keys = keys
        self.written: list[str] = []

    async def metadata(self, key: str) -> object | None:
        """Return something if the key is there."""
        return {} if key in self.keys else None

    async def put_marker(self, key: str) -> None:
        """Note the key."""
        self.written.append(key)

    async def bucket_settings(self) -> BucketSettings:
        """Say that all is well."""
        return BucketSettings(versioning=True, encryption=True, public_access_blocked=True)


async def test_only_the_missing_markers_are_written() -> None:
    bucket = FakeBucket({FOLDERS[0], FOLDERS[2]})
    missing = [folder for folder in FOLDERS if folder not in bucket.keys]
    assert await create_folders(bucket, dry_run=True) == missing
    assert bucket.written == []
    assert await create_folders(bucket, dry_run=False) == missing
    assert bucket.written == missing


def test_what_is_off_or_unknown_is_advised_on_with_the_command() -> None:
    advice = advise(
        BucketSettings(versioning=False, encryption=None, public_access_blocked=True), "lake"
    )
    assert [(entry.setting, entry.found) for entry in advice] == [
        ("versioning", "off"),
        ("default encryption", "may not be read"),
    ]
    assert all("--bucket lake " in entry.command for entry in advice)


async def test_a_bucket_that_is_well_set_up_needs_no_advice() -> None:
    assert advise(await FakeBucket(set()).bucket_settings(), "lake") == []
