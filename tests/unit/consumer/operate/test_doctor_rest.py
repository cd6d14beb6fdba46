"""What the doctor says of settings, machine, bucket and database, from facts alone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

import consumer
from consumer.operate.doctor.checks.configuration import (
    check_aliases,
    check_configuration,
    check_host,
)
from consumer.operate.doctor.checks.database import check_database
from consumer.operate.doctor.checks.lake import check_lake
from consumer.operate.doctor.facts import HostFacts, LakeFacts, Sessions, TableFacts, Unknown
from consumer.operate.doctor.findings import Finding, Level
from consumer.operate.doctor.probes.database import RIGHTS
from consumer.operate.doctor.refusals import aws_refusal, connection_refusal
from tests.support.doctor_facts import MAIN_URL, database, lake, settings

HOST = HostFacts(None, consumer_answers=False, temporary_directory="/scratch", free_bytes=2**40)


def unwell(findings: Any) -> list[Finding]:
    """Return what is not fine."""
    return [finding for finding in findings if finding.level is not Level.OK]


def test_a_deployment_as_it_should_be_is_fine() -> None:
    told = settings()
    assert [] == unwell(
        [
            *check_configuration(told),
            *check_host(told, HOST),
            check_aliases(None, None),
            *check_lake(lake(), told),
            *check_database(database(), told, {"0001", "0002"}, "0002"),
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


def test_an_alias_file_that_cannot_be_used_is_a_problem() -> None:
    assert Level.PROBLEM == check_aliases("a.toml", "a.toml: not TOML").level
    assert Level.OK == check_aliases("a.toml", None).level


@pytest.mark.parametrize(
    ("port", "host", "level", "words"),
    [
        (None, HOST, "warning", "HTTP_PORT is not set"),
        (
            80,
            HostFacts("Permission denied", False, "/scratch", 2**40),
            "problem",
            "Permission denied",
        ),
        (80, HostFacts(None, False, "/scratch", 2**20), "warning", "1 MiB free in /scratch"),
        (80, replace(HOST, write_problem="it is read-only"), "problem", "it is read-only"),
        (80, replace(HOST, tmpdir="/away"), "warning", "TMPDIR=/away is not usable"),
        (80, replace(HOST, memory_bytes=200 * 2**20), "warning", "the limit is 200 MiB"),
        (80, Unknown("it hangs", ""), "unknown", "it hangs"),
    ],
)
def test_what_the_machine_lacks_is_named(
    port: int | None, host: HostFacts | Unknown, level: str, words: str
) -> None:
    [found] = unwell(check_host(settings(http_port=port), host))
    assert level == found.level
    assert words in found.found


def test_a_temporary_directory_under_another_spelling_is_fine() -> None:
    assert [] == unwell(check_host(settings(http_port=80), replace(HOST, tmpdir="/scratch/")))


def test_a_port_on_which_a_consumer_answers_is_fine() -> None:
    host = HostFacts("Address already in use", True, "/scratch", 2**40)
    assert [] == unwell(check_host(settings(), host))


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
        ({"encoding": "LATIN1"}, "problem", "LATIN1", "ENCODING 'UTF8'"),
        ({"may_create_temporary": False}, "problem", "temporary", "GRANT TEMPORARY"),
        ({"is_pooled_by_transaction": True}, "problem", "pooler", "pool_mode = session"),
        ({"schema_version": None}, "problem", "no tables", "consumer migrate"),
        ({"schema_version": "0001"}, "problem", "needs 0002", "consumer migrate"),
        ({"schema_version": "0003"}, "problem", "newer", "deploy"),
        (
            {"lacking": ("taxes.rate", "gift_cards")},
            "problem",
            "lacks taxes.rate, gift_cards",
            "consumer migrate",
        ),
        (
            {"tables": (TableFacts("taxes", "boss", is_owned=False),)},
            "warning", "does not own taxes", "DB_USER=boss",
        ),
        (
            {"tables": (TableFacts("taxes", "boss", is_owned=True, lacking=("UPDATE",)),)},
            "problem", "lacks UPDATE on taxes", "GRANT UPDATE ON taxes TO coco",
        ),
        ({"sessions": Sessions(3, -1, -1, 1)}, "problem", "max_connections allows 3", "LOADER"),
        ({"sessions": Sessions(99, 2, -1, 1)}, "problem", "user's CONNECTION LIMIT", "LOADER"),
        ({"sessions": Sessions(99, -1, 0, 1)}, "problem", "database's CONNECTION", "LOADER"),
        ({"sessions": Sessions(99, -1, -1, 97)}, "warning", "would not fit", "run fewer"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_database_is_named_with_its_remedy(
    changed: dict[str, Any], level: str, words: str, remedy: str
) -> None:
    found = check_database(database(**changed), settings(), {"0001", "0002"}, "0002")
    [only] = unwell(found)
    assert level == only.level
    assert words in only.found
    assert remedy in only.remedy


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('FATAL:  password authentication failed for user "coco"', "DB_PASSWORD"),
        ("fe_sendauth: no password supplied", "DB_PASSWORD"),
        ('FATAL:  role "nobody" does not exist', "DB_USER"),
        ('FATAL:  database "nowhere" does not exist', "DB_NAME"),
        ('FATAL:  no pg_hba.conf entry for host "h", user "u", database "d"', "pg_hba.conf"),
        ('FATAL:  too many connections for role "coco"', "CONNECTION LIMIT"),
        ('FATAL:  permission denied for database "coco"', "GRANT CONNECT"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  remaining connection slots are reserved", "max_connections"),
        ("[Errno -2] failed to resolve host 'x': Name or service not known", "DB_HOST"),
        ("connection to server failed: Connection refused", "start PostgreSQL"),
        ("connection timeout expired", "network"),
        ("something new", "check DB_HOST"),
    ],
)
def test_why_postgresql_cannot_be_connected_to_leads_to_a_setting(said: str, remedy: str) -> None:
    found = connection_refusal(OSError(said), settings())
    assert remedy in found.remedy
    assert said.rsplit(maxsplit=1)[-1] in found.reason
    assert "coco on db:5432" in found.reason


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
    found = aws_refusal(error, "s3:ListBucket", "s3://lake", "BUCKET_NAME")
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
    ours = functions + statements(package / "load" / "sql")
    deletions = set(re.findall(r"DELETE FROM (\w+)", ours))
    assert {name for name in deletions if not name.startswith("stage_")} == cleared
