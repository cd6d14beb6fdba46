"""The real servers for the tests: one stack for the session, a lake and a database for each test.

Under `devstack run -- pytest` the tests use that stack; otherwise they start their own.
"""

import importlib.util
import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import boto3
import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from devstack.environment import command_environment
from devstack.stack import running_stack

# A shell that starts the tests in the background has SIGINT ignored, nohup has SIGHUP, and so would
# every program that they start and tell to stop.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

HOOK = Path(__file__).parent.parent / "localstack-init" / "ready.d" / "10_lake_and_queues.py"
# The same examples on every run, and no failure because a machine was busy.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

STACK_VARIABLES = ("AWS_ENDPOINT_URL", "QUEUE_URL", "DB_HOST")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long stories of e2e in every process, or the last of them keeps one waiting.

    xdist deals the tests out in as many runs as there are processes; later they steal from another.
    What needs a browser is one story, so that one process starts one.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    by_story: dict[str, list[pytest.Item]] = {}
    for item in items:
        by_story.setdefault(_story(item.path), []).append(item)
    others = by_story.pop("", [])
    stories = list(by_story.values())
    share = -(-len(items) // processes)
    dealt: list[pytest.Item] = []
    for number in range(processes):
        dealt += (item for story in stories[number::processes] for item in story)
        room = share * (number + 1) - len(dealt)
        dealt, others = dealt + others[:room], others[room:]
    items[:] = dealt


def _story(path: Path) -> str:
    """Return the story that a module of tests belongs to; "" if it may run anywhere."""
    if path.parent.name == "e2e":
        return path.name
    return "browser" if path.parent.parts[-2:] == ("integration", "console") else ""


@dataclass(frozen=True)
class Servers:
    """The session's servers. `processes` is empty when somebody else owns them."""

    environment: Mapping[str, str]
    processes: Mapping[str, int]


@dataclass(frozen=True)
class Lake:
    """A bucket with its queue and dead-letter queue, wired as in production, and clients."""

    bucket: str
    queue_url: str
    dlq_url: str
    s3: S3Client
    sqs: SQSClient

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program to this lake."""
        return {
            "BUCKET_NAME": self.bucket,
            "QUEUE_URL": self.queue_url,
            "DLQ_URL": self.dlq_url,
        }


@pytest.fixture(scope="session")
def stack() -> Iterator[Servers]:
    """Give PostgreSQL, LocalStack and the simulated API; blocks about six seconds, once."""
    if all(os.environ.get(name) for name in STACK_VARIABLES):
        yield Servers(dict(os.environ), {})
        return
    with running_stack() as running:
        yield Servers(running.environment, running.processes)


@pytest.fixture(scope="session")
def hook() -> ModuleType:
    """Give LocalStack's init hook as a module; importing it does nothing."""
    spec = importlib.util.spec_from_file_location("lake_hook", HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def aws(stack: Servers) -> tuple[S3Client, SQSClient]:
    """Give S3 and SQS clients of the session's LocalStack."""
    session = boto3.Session(
        stack.environment["AWS_ACCESS_KEY_ID"],
        stack.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=stack.environment["AWS_REGION"],
    )
    endpoint = stack.environment["AWS_ENDPOINT_URL"]
    return session.client("s3", endpoint_url=endpoint), session.client("sqs", endpoint_url=endpoint)


@pytest.fixture
def lake(aws: tuple[S3Client, SQSClient], hook: ModuleType) -> Iterator[Lake]:
    """Give an empty lake of the test's own, wired by the very hook that production runs.

    The main queue starts empty: the test event that S3 sends on wiring has been purged.
    """
    s3, sqs = aws
    name = f"test-{secrets.token_hex(6)}"
    wired = hook.wire(s3, sqs, hook.Names(bucket=name, queue=name, dlq=f"{name}-dlq"))
    sqs.purge_queue(QueueUrl=wired.queue_url)
    yield Lake(name, wired.queue_url, wired.dlq_url, s3, sqs)
    for url in (wired.queue_url, wired.dlq_url):
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def database(stack: Servers) -> Iterator[dict[str, str]]:
    """Give the DB_* variables of an empty database of the test's own."""
    name = f"test_{secrets.token_hex(6)}"
    variables = {key: value for key, value in stack.environment.items() if key.startswith("DB_")}
    server = {
        "host": variables["DB_HOST"],
        "port": variables["DB_PORT"],
        "user": variables["DB_USER"],
        "password": variables["DB_PASSWORD"],
        "dbname": variables["DB_NAME"],
    }
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {**variables, "DB_NAME": name}
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(name)))


@pytest.fixture
def environment(stack: Servers, lake: Lake, database: dict[str, str]) -> dict[str, str]:
    """Give the whole environment for a program that works on this test's lake and database."""
    own = {**stack.environment, **lake.environment, **database}
    return command_environment(os.environ, own)
