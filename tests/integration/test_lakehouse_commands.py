"""The commands of `lakehouse` on the lake in S3, and engines that read what they exported."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import structlog
from pyiceberg.table import StaticTable
from typer.testing import CliRunner

from lakehouse import app
from lakehouse.cli import cli
from lakehouse.settings import LakehouseSettings
from runtime.logs import configure_logs
from tests.conftest import Lake
from tests.support.crashes import killed_daemon
from tests.support.databases import execute
from tests.support.guide import PUT_CHECKS, given_names, snippet
from tests.support.migrated import with_tables
from tests.support.programs import query, until

# What takes most of an export's start, and is of no use when nothing changed
IDLE = """
import sys
from lakehouse.__main__ import main
sys.argv = ["lakehouse", "export"]
try:
    main()
finally:
    print("imported:", sorted({"pyarrow", "pyiceberg", "sqlalchemy", "botocore"} & {*sys.modules}))
"""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def settings(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LakehouseSettings]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    configure_logs("ERROR")  # as the program does, to stderr
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield LakehouseSettings()
    structlog.reset_defaults()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert code == result.exit_code, result.output
    return result.output if code else result.stdout


def test_the_commands_from_init_to_disable(
    settings: LakehouseSettings, environment: dict[str, str], lake: Lake
) -> None:
    assert "run `consumer migrate` first" in run("init", code=1)
    with_tables(environment)
    assert "run `lakehouse init` first" in run("export", code=1)
    query(environment, PUT_CHECKS.format(1, 3))
    assert "all days are queued" in run("init")
    assert "nothing to do" in run("init")
    done = json.loads(run("export", "--json"))
    assert (3 + 1, True) == (done["rows"], done["complete"])
    assert "nothing changed" in run("export")
    told = subprocess.run(
        [sys.executable, "-c", IDLE], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.endswith("\nimported: []\n"), "an idle export is cheap to start"
    told = json.loads(run("status", "--json"))
    assert (True, [], done["export_id"]) == (
        told["noted"],
        told["queued"],
        told["latest"]["export_id"],
    )
    assert {"table": "guest_checks", "exists": True, "rows": 3, "files": 1} == {
        name: value for name, value in told["tables"][0].items() if name != "bytes"
    }
    assert "4 rows of 1 days compared\n" == run("verify")
    read_by_engines(settings, lake, ["pyiceberg", "DuckDB"], Decimal("30.75"))
    query(environment, PUT_CHECKS.format(4, 4))
    assert "1 queued days were not compared" in run("verify")
    run("export")
    unnoted = "SET session_replication_role = replica", "UPDATE guest_checks SET sub_ttl = 1"
    execute(environment, *unnoted)
    assert "5 rows of 1 days compared, 3 differences" in run("verify", code=1)
    found, *of_the_view = json.loads(run("verify", "--json", code=1))["differences"]
    assert ("guest_checks", "2024-01-01", "sub_ttl") == (
        found["table"],
        found["day"],
        found["what"],
    )
    assert [4, 41] == [Decimal(found[name]) for name in ("postgres", "iceberg")]
    assert {"daily_revenue"} == {one["table"] for one in of_the_view}
    assert 0 == json.loads(run("clean", "--dry-run", "--json"))["objects"]
    query(environment, PUT_CHECKS.format(5, 5))
    lake.s3.put_object(Bucket=lake.bucket, Key="processed/latest.json", Body=b"[]")
    assert "latest.json is not what we write" in run("export", code=1)
    assert "changes are not noted any more" in run("disable")
    assert "nothing to do" in run("disable")
    assert "is after" in run("export", "--from", "2024-01-02", "--to", "2024-01-01", code=2)


def read_by_engines(
    settings: LakehouseSettings, lake: Lake, engines: Sequence[str], revenue: Decimal
) -> None:
    """Run the guide's snippets: the revenue is that of PostgreSQL's own view."""
    names = given_names(settings, lake)
    for engine in engines:
        read = dict(names)
        exec(snippet(engine), read)  # noqa: S102 - the guide's own
        assert revenue == read["revenue"], engine
    table = StaticTable.from_metadata(names["metadata_location"], names["s3_properties"])
    assert 2 == table.metadata.format_version


def test_the_daemon_makes_a_killed_one_right_and_stops_when_told(
    settings: LakehouseSettings,
    environment: dict[str, str],
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed with one table committed; then `clean` removes what it left, and nothing else."""
    with_tables(environment)
    app.init(settings)
    query(environment, PUT_CHECKS.format(1, 1))
    assert -signal.SIGKILL == killed_daemon(environment)
    with ThreadPoolExecutor(1) as other:
        telling = other.submit(tell_to_stop, environment)
        run("run", "--every", "1h")
        telling.result()
    lake.s3.create_multipart_upload(Bucket=lake.bucket, Key="processed/taxes/data/killed")
    for name in ("LAKEHOUSE_KEEP_DAYS", "LAKEHOUSE_LONGEST_EXPORT_HOURS"):
        monkeypatch.setenv(name, "0")
    before = data_files(lake)
    cleaned = json.loads(run("clean", "--json"))
    assert (1, 2) == (cleaned["uploads"], len(before - data_files(lake)))
    assert before - data_files(lake) <= set(cleaned["keys"])
    read_by_engines(settings, lake, ["pyiceberg"], Decimal("10.25"))


def tell_to_stop(environment: dict[str, str]) -> None:
    """Wait until all is exported, then ask this process to end."""
    try:
        until(lambda: [] == query(environment, "SELECT FROM lakehouse_changes"), "an export")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def data_files(lake: Lake) -> set[str]:
    """Return the keys of all data files, whoever names them."""
    listed = lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix="processed/")
    return {one["Key"] for one in listed["Contents"] if one["Key"].endswith(".parquet")}


def test_a_catalogue_that_is_not_there_ends_a_command_with_one_line(
    settings: LakehouseSettings, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tables(environment)
    monkeypatch.setenv("LAKEHOUSE_CATALOG", "http://127.0.0.1:9/catalog")
    told = run("init", code=1)
    assert "the catalogue (http://127.0.0.1:9/catalog) or the lake" in told
    monkeypatch.setenv("LAKEHOUSE_CATALOG", "hive")
    assert "LAKEHOUSE_CATALOG" in run("init", code=2)
