"""What a new lake lacks, and what is said about its bucket."""

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
    off, unknown = advise(settings, "lake", ["raw/"])
    assert off.startswith("versioning: off; to turn it on:\n  aws s3api put-bucket-versioning")
    assert unknown.startswith("default encryption: may not be read; to turn it on:\n  aws s3api ")
    assert "--bucket lake " in off
    assert "--bucket lake " in unknown


def test_a_bucket_that_is_well_set_up_needs_no_advice() -> None:
    assert advise(dict.fromkeys(("versioning", "default encryption"), True), "lake", ["raw/"]) == []
