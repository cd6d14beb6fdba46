"""What the doctor says of settings, machine, bucket and database, from facts alone."""

import re
import resource
import shutil
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

import consumer
from consumer.errors import LocalDisk
from consumer.load.migrations.schema import StoredSchema
from consumer.operate.doctor import configuration
from consumer.operate.doctor.aws import refusal
from consumer.operate.doctor.configuration import check_configuration, check_host
from consumer.operate.doctor.database import RIGHTS, TableFacts, database_refusal
from consumer.operate.doctor.findings import Finding, Level, Unknown
from consumer.operate.doctor.lake import LakeFacts, check_lake
from consumer.operate.doctor.tables import check_database
from tests.support.doctor_facts import MAIN_URL, database, lake, settings


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> dict[str, Any]:
    """Give a machine that has all it needs; a test takes something away."""
    has = {"limit": None, "free": 2**40, "port": unused_tcp_port}
    monkeypatch.setattr(configuration, "memory_limit_bytes", lambda: has["limit"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=has["free"]))
    monkeypatch.delenv("TMPDIR", raising=False)
    return has


def unwell_machine(machine: dict[str, Any]) -> list[Finding]:
    """Return what is not fine about a machine."""
    return unwell(check_host(settings(http_port=machine["port"])))


def unwell(findings: Any) -> list[Finding]:
    """Return what is not fine."""
    return [finding for finding in findings if finding.level is not Level.OK]


def test_a_deployment_as_it_should_be_is_fine(machine: dict[str, Any]) -> None:
    assert [] == unwell_machine(machine)
    told = settings()
    assert [] == unwell(
        [
            *check_configuration(told),
            *check_lake(lake(), told),
            *check_database(database(), told),
        ]
    )


@pytest.mark.parametrize(
    ("changed", "level", "words", "remedy"),
    [
        (
            {"shutdown_timeout_seconds": 20},
            "problem", "cut off the last long poll", "SHUTDOWN_TIMEOUT_SECONDS above 20",
        ),
        ({"shutdown_timeout_seconds": 30}, "warning", "ECS kills", "stopTimeout above 30"),
        ({"receive_wait_seconds": 1}, "warning", "billed", "RECEIVE_WAIT_SECONDS=20"),
        ({"dlq_url": MAIN_URL}, "problem", "the same queue", "DLQ_URL"),
        ({"queue_url": "main"}, "problem", "QUEUE_URL is no URL", "QUEUE_URL"),
        ({"dlq_url": f"{MAIN_URL}.fifo"}, "problem", "FIFO", "standard"),
        ({"AWS_REGION": "us-east-1"}, "problem", "AWS_REGION is us-east-1", "AWS_REGION"),
        ({"queue_url": "http://localhost:4566/0/q"}, "problem", "calls go to AWS", "ENDPOINT_URL"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_named(
    changed: dict[str, Any], level: str, words: str, remedy: str
) -> None:
    [found] = unwell(check_configuration(settings(**changed)))
    assert level == found.level
    assert words in found.found
    assert remedy in found.remedy


def test_an_alias_file_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("")
    told = settings(schema_aliases_file=str(path))
    assert [] == unwell(check_configuration(told))
    path.write_text("oops")
    [found] = unwell(check_configuration(told))
    assert (Level.PROBLEM, "aliases") == (found.level, found.check)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"port": None}, "warning", "HTTP_PORT is not set"),
        ({"free": 2**20}, "warning", "1 MiB free in "),
        ({"limit": 200 * 2**20}, "warning", "the limit is 200 MiB"),
    ],
)
def test_what_the_machine_lacks_is_named(
    machine: dict[str, Any], changed: dict[str, Any], level: str, words: str
) -> None:
    machine.update(changed)
    [found] = unwell_machine(machine)
    assert level == found.level
    assert words in found.found


def test_a_temporary_directory_that_cannot_be_written_is_a_problem(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise LocalDisk("it is read-only")

    monkeypatch.setattr(configuration, "check_temporary_files", refuse)
    [found] = unwell_machine(machine)
    assert ("problem", "it is read-only") == (found.level, found.found)


@pytest.mark.parametrize("directory", ["/away", "/proc"], ids=["missing", "read-only"])
def test_a_temporary_directory_that_is_missing_or_read_only_is_a_problem(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """Where nobody may write, root included."""
    monkeypatch.setattr(tempfile, "tempdir", directory)
    [found] = unwell_machine(machine)
    assert ("problem", "temporary files") == (found.level, found.check)
    assert "set TMPDIR" in found.remedy


def test_a_temporary_directory_that_is_full_is_a_problem(machine: dict[str, Any]) -> None:
    """As far as the process can see: it may write no file of that size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        [found] = unwell_machine(machine)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ("problem", "temporary files") == (found.level, found.check)


def test_another_temporary_directory_than_was_wished_for_is_named(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/away")
    [found] = unwell_machine(machine)
    assert "TMPDIR=/away is not usable" in found.found
    monkeypatch.setenv("TMPDIR", f"{tempfile.gettempdir()}/")
    assert [] == unwell_machine(machine)


@pytest.mark.parametrize("page", [b"coco_rows_total 1", None])
def test_a_port_that_is_taken_is_fine_if_a_consumer_answers_on_it(
    machine: dict[str, Any], page: bytes | None
) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page or b"something else")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", machine["port"]), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        found = unwell_machine(machine)
        thread.join()
    assert ([] if page else ["health port"]) == [one.check for one in found]


DENIED = Unknown("s3:PutObject: AccessDenied", "grant s3:PutObject", is_denial=True)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Unknown("NoSuchBucket", "create it", is_denial=True), [("problem", "bucket")]),
        (lake(region="eu-central-1"), [("problem", "bucket")]),
        (lake(reading=DENIED), [("problem", "reading")]),
        (lake(writing=DENIED), [("problem", "error logs")]),
        (lake(writing=Unknown("no marker", "producer init-lake")), [("unknown", "error logs")]),
    ],
)
def test_what_a_bucket_refuses_is_named(
    found: LakeFacts | Unknown, expected: list[tuple[str, str]]
) -> None:
    said = unwell(check_lake(found, settings()))
    assert expected == [(one.level, one.check) for one in said][: len(expected)]
    assert all(one.level is Level.UNKNOWN for one in said[len(expected) :])


@pytest.mark.parametrize(
    ("changed", "level", "words", "remedy"),
    [
        ({"is_read_only": True}, "problem", "read-only", "primary"),
        ({"is_encrypted": False}, "warning", "db is not encrypted", "DB_SSLMODE=verify-full"),
        ({"encoding": "LATIN1"}, "problem", "LATIN1", "ENCODING 'UTF8'"),
        ({"may_create_temporary": False}, "problem", "temporary", "GRANT TEMPORARY"),
        ({"is_pooled_by_transaction": True}, "problem", "pooler", "pool_mode = session"),
        ({"schema": StoredSchema()}, "problem", "no tables", "consumer migrate"),
        ({"schema": StoredSchema("0001")}, "problem", "this release needs", "consumer migrate"),
        ({"schema": StoredSchema("9999", "9999")}, "problem", "newer", "deploy"),
        (
            {"lacking": ["taxes.rate", "gift_cards"]},
            "problem",
            "lacks taxes.rate, gift_cards",
            "consumer migrate",
        ),
        (
            {"tables": [TableFacts("taxes", "boss", is_owned=False, lacking=[])]},
            "warning", "does not own taxes", "DB_USER=boss",
        ),
        (
            {"tables": [TableFacts("taxes", "boss", is_owned=True, lacking=["UPDATE"])]},
            "problem", "lacks UPDATE on taxes", "GRANT UPDATE ON taxes TO coco",
        ),
        ({"server_limit": 3}, "problem", "max_connections allows 3", "LOADER"),
        ({"role_limit": 2}, "problem", "user's CONNECTION LIMIT", "LOADER"),
        ({"database_limit": 0}, "problem", "database's CONNECTION", "LOADER"),
        ({"server_limit": 99, "in_use": 97}, "warning", "would not fit", "run fewer"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_database_is_named_with_its_remedy(
    changed: dict[str, Any], level: str, words: str, remedy: str
) -> None:
    found = check_database(database(**changed), settings())
    [only] = unwell(found)
    assert level == only.level
    assert words in only.found
    assert remedy in only.remedy


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('FATAL:  password authentication failed for user "coco"', "DB_PASSWORD"),
        ("fe_sendauth: no password supplied", "DB_PASSWORD"),
        ("DB_PASSWORD_FILE cannot be read: No such file or directory", "correct its path"),
        ('FATAL:  PAM authentication failed for user "coco"', "rds_iam"),
        ("AWS cannot be used: NoRegionError", "set AWS_REGION"),
        ('FATAL:  role "nobody" does not exist', "DB_USER"),
        ('FATAL:  database "nowhere" does not exist', "DB_NAME"),
        ('FATAL:  no pg_hba.conf entry for host "h", user "u", database "d"', "pg_hba.conf"),
        ('FATAL:  too many connections for role "coco"', "CONNECTION LIMIT"),
        ('FATAL:  permission denied for database "coco"', "GRANT CONNECT"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  remaining connection slots are reserved", "max_connections"),
        ("[Errno -2] failed to resolve host 'x': Name or service not known", "DB_HOST"),
        ("connection to server failed: Connection refused", "start PostgreSQL"),
        ("SSL error: certificate verify failed", "DB_SSLROOTCERT"),
        ("server does not support SSL, but SSL was required", "DB_SSLMODE"),
        ("connection timeout expired", "network"),
        ("something new", "check DB_HOST"),
    ],
)
def test_why_postgresql_cannot_be_connected_to_leads_to_a_setting(said: str, remedy: str) -> None:
    found = database_refusal(OSError(said), settings())
    assert remedy in found.remedy
    assert said.rsplit(maxsplit=1)[-1] in found.reason
    assert "coco on db:5432" in found.reason


@pytest.mark.parametrize("host", ["/run/postgresql", "localhost", "127.0.0.1", "::1"])
def test_what_stays_on_this_machine_needs_no_encryption(host: str) -> None:
    assert [] == unwell(check_database(database(is_encrypted=False), settings(db_host=host)))


def answer(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


@pytest.mark.parametrize(
    ("error", "remedy", "is_denial"),
    [
        (answer("NoSuchBucket"), "correct BUCKET_NAME", True),
        (answer("404"), "correct BUCKET_NAME", True),
        (answer("AWS.SimpleQueueService.NonExistentQueue"), "correct BUCKET_NAME", True),
        (answer("AccessDenied"), "grant s3:ListBucket on s3://lake", True),
        (answer("403"), "grant s3:ListBucket on s3://lake", True),
        (answer("ExpiredToken"), "credentials", True),
        (answer("PermanentRedirect"), "AWS_REGION", True),
        (answer("KMS.DisabledException"), "enable the KMS key", True),
        (answer("RequestTimeTooSkewed"), "clock", True),
        (NoCredentialsError(), "AWS_ACCESS_KEY_ID", True),
        (ParamValidationError(report="Invalid bucket name"), "correct BUCKET_NAME", True),
        (EndpointConnectionError(endpoint_url="http://x"), "AWS_ENDPOINT_URL", False),
    ],
)
def test_what_aws_answers_leads_to_a_setting_or_a_grant(
    error: Exception, remedy: str, *, is_denial: bool
) -> None:
    found = refusal(error, "s3:ListBucket", "s3://lake", "BUCKET_NAME")
    assert remedy in found.remedy
    assert is_denial == found.is_denial


def statements(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.sql"))


def test_the_doctor_asks_for_the_rights_that_the_consumer_uses() -> None:
    """A new table, or the first deletion from one, belongs into RIGHTS; functions act as we do."""
    package = Path(consumer.__file__).parent
    steps = statements(package / "load" / "migrations")
    # What a migration does once is for the owner of the tables.
    steps = re.sub(r"^DO \$\$.*?^\$\$;", "", steps, flags=re.DOTALL | re.MULTILINE)
    created = set(re.findall(r"^CREATE TABLE (\w+)", steps, re.MULTILINE))
    assert created | {"alembic_version", "schema_drift"} == set(RIGHTS)
    cleared = {name for name, rights in RIGHTS.items() if "DELETE" in rights}
    functions = "".join(re.findall(r"\$\$.*?\$\$", steps, re.DOTALL))
    # What is mended and pruned by hand is for the owner of the tables, too.
    by_hand = {"proof", "pruning"}
    folders = [path for path in (package / "load" / "sql").iterdir() if path.name not in by_hand]
    ours = functions + "\n".join(map(statements, folders))
    deletions = set(re.findall(r"DELETE FROM (\w+)", ours))
    assert {name for name in deletions if not name.startswith("stage_")} == cleared
