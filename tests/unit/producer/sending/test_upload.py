"""One bad file is no reason to keep the others back."""

from pathlib import Path

from structlog.testing import capture_logs

from producer.errors import LakeClosed
from producer.sending.upload import upload
from producer.sending.upload_files import plan_uploads
from producer.settings import Settings
from producer.tally import Tally
from tests.support.producer_fakes import FakeLake


async def run(
    paths: list[Path], lake: FakeLake, *, check: bool = True, to: str = "raw/erp/"
) -> Tally:
    tally = Tally(len(paths))
    upload_files = plan_uploads({path: path.name for path in paths}, to)
    settings = Settings.model_construct(upload_concurrency=2, upload_max_file_bytes=10_000)
    await upload(upload_files, lake, tally, settings, check=check)
    return tally


async def test_good_files_are_stored_and_bad_ones_named(lake: FakeLake, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_bytes(b'{"a": 1.50}\n')
    (tmp_path / "bad.json").write_bytes(b"{")
    paths = [tmp_path / name for name in ("missing.json", "bad.json", "good.json")]
    tally = await run(paths, lake)

    assert {key: obj.body for key, obj in lake.objects.items()} == {
        "raw/erp/good.json": b'{"a": 1.50}\n'
    }
    assert (tally.stored, tally.stored_bytes, tally.failed) == (1, 12, 2)
    assert {failure["file"] for failure in tally.failures} == {
        str(tmp_path / "missing.json"),
        str(tmp_path / "bad.json"),
    }


async def test_without_the_check_a_broken_document_is_stored(
    lake: FakeLake, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_bytes(b"{")
    tally = await run([tmp_path / "bad.json"], lake, check=False)
    assert tally.is_complete
    assert lake.objects["raw/erp/bad.json"].body == b"{"


async def test_a_closed_lake_ends_the_upload(lake: FakeLake, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(10)]
    for path in paths:
        path.write_bytes(b"{}")
    lake.error = LakeClosed("there is no bucket lake")
    tally = await run(paths, lake)
    assert tally.stopped_by == "there is no bucket lake"
    assert tally.failed <= 2


async def test_a_place_the_consumer_does_not_know_is_warned_about(
    lake: FakeLake, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    with capture_logs() as logs:
        await run([tmp_path / "a.json"], lake, to="raw/elsewhere/")
    assert [(log["event"], log["key"]) for log in logs if log["log_level"] == "warning"] == [
        ("key_not_recognized", "raw/elsewhere/a.json")
    ]
