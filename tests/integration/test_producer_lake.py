"""`producer upload` and `producer init-lake`, as processes, against LocalStack."""

import asyncio
import gzip
import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from producer.aws.s3 import open_lake
from producer.lake import LakeObject
from producer.lease_table import LEASE_TABLE_KEY
from producer.settings import Settings
from runtime.settings import read_settings
from tests.conftest import Lake
from tests.support.producing import keys, producer
from tests.support.programs import run


def test_an_upload_stores_good_files_as_they_are_and_names_bad_ones(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    plain, packed = b'\xef\xbb\xbf{"curUTC": 1.50 }\r\n', gzip.compress(b'{"curUTC": 2}')
    (folder / "Relatório 1+2.json").write_bytes(plain)
    (folder / "b.json.gz").write_bytes(packed)
    (folder / "broken.json").write_bytes(b'{"curUTC":\n oops}')
    result = producer(["upload", "exports", "missing.json"], environment, tmp_path)

    assert result.returncode == 1
    assert "2 of 4 stored" in result.stdout
    assert "line 2, column 2" in " ".join(result.stdout.replace("│", " ").split())
    assert sorted(keys(lake, "raw/")) == ["raw/erp/Relatório 1+2.json", "raw/erp/b.json.gz"]
    first = lake.s3.get_object(Bucket=lake.bucket, Key="raw/erp/Relatório 1+2.json")
    second = lake.s3.get_object(Bucket=lake.bucket, Key="raw/erp/b.json.gz")
    assert (first["Body"].read(), first["ContentType"]) == (plain, "application/json")
    assert second["Body"].read() == packed
    assert (second["ContentType"], second["ContentEncoding"]) == ("application/json", "gzip")


def test_a_broken_document_is_uploaded_when_asked_for(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_bytes(b"{oops")
    result = producer(
        ["upload", "broken.json", "--no-check", "--to", "raw/erp/tests"], environment, tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert keys(lake, "raw/") == ["raw/erp/tests/broken.json"]


def test_credentials_may_stand_in_the_env_file_alone(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """The AWS SDK does not read `.env`, so the producer hands the values over."""
    names = {name for name in environment if name.startswith("AWS_")} | {"BUCKET_NAME"}
    lines = [f"{name}={environment[name]}" for name in sorted(names)]
    (tmp_path / ".env").write_text("\n".join([*lines, "DB_HOST=unused"]), encoding="utf-8")
    (tmp_path / "a.json").write_bytes(b"{}")
    rest = {name: value for name, value in environment.items() if name not in names}
    result = producer(["upload", "a.json"], rest, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert keys(lake, "raw/") == ["raw/erp/a.json"]


def test_a_lake_is_prepared_once_and_nothing_in_it_is_touched(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """A dry run creates nothing; the settings are advised on, never changed."""
    lake.s3.delete_object(Bucket=lake.bucket, Key="raw/erp/")
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/", Body=b"kept")
    outputs = [
        producer(["init-lake", *more], environment, tmp_path).stdout
        for more in (["--dry-run"], ["--dry-run"], [], [])
    ]
    assert ["would create raw/erp/" in output for output in outputs] == [True, True, False, False]
    assert ["created raw/erp/" in output for output in outputs] == [False, False, True, False]
    assert "all folder markers exist" in outputs[3]
    assert lake.s3.get_object(Bucket=lake.bucket, Key="raw/")["Body"].read() == b"kept"
    assert lake.s3.head_object(Bucket=lake.bucket, Key="raw/erp/")["ContentLength"] == 0
    assert all("versioning: off" in output for output in outputs)
    assert "Status" not in lake.s3.get_bucket_versioning(Bucket=lake.bucket)

    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"})
    lake.s3.delete_public_access_block(Bucket=lake.bucket)
    output = producer(["init-lake"], environment, tmp_path).stdout
    assert "versioning: off" not in output
    assert "public access block: off" in output
    assert "notification" not in output


def test_a_notification_that_is_gone_is_made_again_by_the_command_that_is_printed(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """The doctor knows the queue's ARN; `init-lake` leaves it to the reader."""
    before = lake.s3.get_bucket_notification_configuration(Bucket=lake.bucket)
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    assert "notification: off" in producer(["init-lake"], environment, tmp_path).stdout
    publishing = environment | {"EVENTS": "publish"}
    assert "notification" not in producer(["init-lake"], publishing, tmp_path).stdout
    told = run("consumer", "doctor", environment=environment).stdout
    [command] = [line.strip() for line in told.splitlines() if "aws s3api" in line]
    words = shlex.split(command)
    assert words[:5] == [
        "aws",
        "s3api",
        "put-bucket-notification-configuration",
        "--bucket",
        lake.bucket,
    ]
    lake.s3.put_bucket_notification_configuration(
        Bucket=lake.bucket, NotificationConfiguration=json.loads(words[-1])
    )
    after = lake.s3.get_bucket_notification_configuration(Bucket=lake.bucket)
    assert [[one["QueueArn"], one["Events"]] for one in after["QueueConfigurations"]] == [
        [one["QueueArn"], one["Events"]] for one in before["QueueConfigurations"]
    ]
    assert "aws s3api" not in run("consumer", "doctor", environment=environment).stdout


def test_a_missing_bucket_cannot_be_prepared(environment: dict[str, str], tmp_path: Path) -> None:
    result = producer(["init-lake"], environment | {"BUCKET_NAME": "no-such-one"}, tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "there is no bucket no-such-one" in result.stderr


async def test_of_two_conditional_writes_the_second_is_refused_and_the_lake_tells_its_time(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To an object that nobody has written yet, and to one that both have read."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with open_lake(read_settings(Settings), concurrency=1) as lake:
        missing = await lake.read_tagged(LEASE_TABLE_KEY)
        assert (missing.body, missing.tag) == (None, None)
        assert abs(missing.now - datetime.now(UTC)) < timedelta(minutes=1)
        assert await lake.write_if(LEASE_TABLE_KEY, b"first", None)
        assert not await lake.write_if(LEASE_TABLE_KEY, b"second", None)
        seen = await lake.read_tagged(LEASE_TABLE_KEY)
        assert await lake.write_if(LEASE_TABLE_KEY, b"third", seen.tag)
        assert not await lake.write_if(LEASE_TABLE_KEY, b"fourth", seen.tag)
        assert (await lake.read_tagged(LEASE_TABLE_KEY)).body == b"third"
        assert not await lake.write_if("leases/gone.json", b"", seen.tag)


async def test_a_listing_goes_on_over_its_pages_and_from_any_key(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 gives a thousand keys at once, here ten; `=` and `%` in them are not misread."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    prefix = "raw/api_responses/getGuestChecks/busDt=2024-01-0"
    names = [f"{prefix}{number % 2}/storeId=S%C3%A3o%20{number:04}/a.json" for number in range(52)]

    def ask_for_few(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return params | {"MaxKeys": 10}

    async with open_lake(read_settings(Settings), concurrency=20) as opened:
        events = opened._client.meta.events
        events.register("provide-client-params.s3.ListObjectsV2", ask_for_few)
        for start in range(0, len(names), 20):
            chunk = names[start : start + 20]
            await asyncio.gather(*(opened.put(LakeObject(name, b"{}", {})) for name in chunk))
        names.sort()
        assert [entry.key async for entry in opened.entries(prefix)] == names
        later = [entry.key async for entry in opened.entries(prefix, f"{prefix}1/")]
        assert later == names[26:]
