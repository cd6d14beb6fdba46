"""The policies of deploy/ grant what the commands need, and nothing that none of them uses.

Every command runs behind a front that denies what the policy of its role does not grant
(`tests/support/granting.py`). It fails, or its doctor complains, if a grant is missing. The doctor
counts for no grant: it tries them all.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
import structlog
from typer.testing import CliRunner

from deploy.policies import lake_values, rendered
from lakehouse.cli import cli
from tests.conftest import Lake
from tests.support.consuming import CHECK, export, ledger, put
from tests.support.databases import conninfo, execute
from tests.support.granting import Call, Gate, Grant, gate_of
from tests.support.migrated import with_tables
from tests.support.operating import begin, examined, shown
from tests.support.programs import DEADLINE_SECONDS, Start, query, succeed, until
from tests.support.serving import served_console
from tests.support.warm import running_warm

ROLES = ("producer", "operator", "console", "consumer", "lake", "lakehouse")
DAY = ("--from", "2024-01-01", "--store", "001")
BRIEFLY = {
    "RECEIVE_WAIT_SECONDS": "1",
    "SHUTDOWN_TIMEOUT_SECONDS": "2",
    "LAKEHOUSE_KEEP_DAYS": "0",
    "LAKEHOUSE_LONGEST_EXPORT_HOURS": "0",
}


class Deployment:
    """A lake whose programs work behind the policies of their roles."""

    def __init__(
        self, environment: dict[str, str], lake: Lake, gates: dict[str, Gate], folder: Path
    ) -> None:
        self._folder = folder
        self._daemons = 0
        self.lake = lake
        self.gates = gates
        self.environments = {
            role: {**environment, **BRIEFLY, "AWS_ENDPOINT_URL": gate.url}
            for role, gate in gates.items()
        }

    def as_(self, role: str, program: str, *arguments: str) -> str:
        """Run a command that must exit 0, and give what it printed."""
        return succeed(program, *arguments, environment=self.environments[role])

    @contextmanager
    def daemon(self, role: str, program: str, *arguments: str) -> Iterator[None]:
        """Run a daemon while the block runs; then tell it to stop, and see it exit 0."""
        start = Start((program, *arguments), self.environments[role], Path.cwd())
        self._daemons += 1
        log = self._folder / str(self._daemons)
        with running_warm(start, log) as process:
            yield
            process.terminate()
            process.join(DEADLINE_SECONDS)
            assert process.exitcode == 0, (log / "stderr").read_text(encoding="utf-8")

    def left_over(self) -> dict[str, set[Grant]]:
        """Return what nobody used, by role."""
        return {role: gate.grants - gate.used for role, gate in self.gates.items()}

    def denied(self) -> dict[str, set[Call]]:
        """Return what was denied, by role."""
        return {role: gate.denied for role, gate in self.gates.items()}


@pytest.fixture
def deployment(environment: dict[str, str], lake: Lake, tmp_path: Path) -> Iterator[Deployment]:
    """Give the lake behind its policies, versioned from the second document on."""
    arns = [
        lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        for url in (lake.queue_url, lake.dlq_url)
    ]
    queue, dlq = (found["QueueArn"] for found in arns)
    values = lake_values(lake.bucket, queue, dlq)
    with ExitStack() as opened:
        gates = {
            role: opened.enter_context(
                gate_of(environment["AWS_ENDPOINT_URL"], rendered(role, values), queue)
            )
            for role in ROLES
        }
        yield Deployment(environment, lake, gates, tmp_path)


# It runs thirty commands, one after the other, on machines that may be busy.
@pytest.mark.timeout(900)
def test_every_command_works_with_its_policy_and_no_grant_is_left_over(
    deployment: Deployment, environment: dict[str, str], tmp_path: Path
) -> None:
    prepare(deployment)
    produce(deployment, tmp_path)
    consume(deployment, environment)
    look_and_act(deployment)
    operate(deployment)
    prove(deployment, environment)
    export_and_clean(deployment)
    stop_at_the_last_receive(deployment, environment)
    left_over = deployment.left_over()
    doctor(deployment)

    assert {role: set[Call]() for role in ROLES} == deployment.denied()
    bucket = f"arn:aws:s3:::{environment['BUCKET_NAME']}"
    assert left_over == {role: set() for role in ROLES} | {
        # Without it S3 says of a marker that is missing that it is forbidden; LocalStack does not.
        "lake": {Grant("s3:ListBucket", bucket)},
        # The doctor's own: whether the bucket announces.
        "operator": {Grant("s3:GetBucketNotification", bucket)},
        "console": {Grant("s3:GetBucketNotification", bucket), Grant("s3:ListBucket", bucket)},
    }


def prepare(deployment: Deployment) -> None:
    """Make the folder markers anew, and the tables."""
    lake = deployment.lake
    for found in lake.s3.list_objects_v2(Bucket=lake.bucket)["Contents"]:
        lake.s3.delete_object(Bucket=lake.bucket, Key=found["Key"])
    deployment.as_("lake", "producer", "init-lake")
    deployment.as_("operator", "consumer", "migrate")


def produce(deployment: Deployment, folder: Path) -> None:
    """Store documents with and without versions, a bad one among them."""
    lake = deployment.lake
    bad = folder / "bad.json"
    bad.write_text('{"guestChecks": 1}')
    deployment.as_("producer", "producer", "upload", str(bad))
    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"})
    put(lake, "raw/erp/good.json", export(CHECK))
    for number in range(2):
        put(lake, f"raw/erp/bad-{number}.json", bad.read_bytes())
    pull = ("pull", *DAY, "--endpoint", "getFiscalInvoice")
    deployment.as_("producer", "producer", *pull)
    # Compares the answer with the one that is there.
    deployment.as_("producer", "producer", *pull, "--force")
    deployment.as_("producer", "producer", "publish", "--prefix", "raw/erp/")
    rounds = ("run", "--every", "1s", "--lookback", "0", "--store", "001")
    with deployment.daemon("producer", "producer", *rounds, "--endpoint", "getChargeBack"):
        renewed = Grant("s3:PutObject", f"arn:aws:s3:::{lake.bucket}/logs/producer/*")
        until(lambda: renewed in deployment.gates["producer"].used, "a round")


def consume(deployment: Deployment, environment: dict[str, str]) -> None:
    """Load what was stored and announced, and dead-letter the bad document."""
    deployment.as_("consumer", "consumer", "run", "--until-idle", "1")
    ends = {state for _, state, _ in ledger(environment)}
    assert ends >= {"loaded", "dead_lettered"}


def look_and_act(deployment: Deployment) -> None:
    """Look at documents, with and without versions; replay one dead letter, purge one, leave one."""
    environment = deployment.environments["console"]
    numbers = query(environment, "SELECT dead_letter_id, cause FROM dead_letters")
    with served_console(environment, console_operators="local") as url:
        for path in ("/live", "/dead-letters"):
            assert "did not answer" not in shown(url + path)
        for number, cause in numbers:
            assert "guestChecks" in shown(f"{url}/dead-letters/{cause}/{number}")
        for kind in ("replay", "purge"):
            action = begin(url, kind, numbers[0][1], 1)
            until(lambda address=action: "1 of 1" in shown(address), kind)


def operate(deployment: Deployment) -> None:
    """Look at everything, replay, purge."""
    listed = json.loads(deployment.as_("operator", "consumer", "dlq", "list", "--json"))
    assert listed
    for command in (
        ("status",),
        ("drift",),
        ("dlq", "show", listed[0]["id"]),
        ("dlq", "replay", "--limit", "1"),
        ("dlq", "purge", "--yes"),
        ("reconcile",),
    ):
        deployment.as_("operator", "consumer", *command)


def prove(deployment: Deployment, environment: dict[str, str]) -> None:
    """Repair a row that is wrong; tell a day's story; rebuild the tables from nothing."""
    execute(environment, "UPDATE guest_checks SET sub_ttl = 1")
    proof = ("verify", "--settled-minutes", "0")
    assert "1 mended" in deployment.as_("operator", "consumer", *proof, "--repair")
    assert [] != query(environment, "SELECT FROM guest_checks WHERE sub_ttl = 80.5")
    told = deployment.as_(
        "operator", "consumer", "history", "--store", "001", "--day", "2024-03-01"
    )
    assert "good.json" in told
    before = sorted(ledger(environment))
    execute(environment, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    with_tables(environment)
    with deployment.daemon("consumer", "consumer", "run"):
        deployment.as_("operator", "consumer", "rebuild")
        # What was announced and cannot be loaded is told late.
        until(lambda: set(before) == set(ledger(environment)), "all have their ends again")


def export_and_clean(deployment: Deployment) -> None:
    """Copy the tables twice, and delete what the second time replaced, and an upload left open."""
    lake = deployment.lake
    lake.s3.create_multipart_upload(Bucket=lake.bucket, Key="processed/taxes/data/left.parquet")
    commands = (("init",), ("export",), ("export", "--all"), ("verify",), ("status",))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in deployment.environments["lakehouse"].items():
            patch.setenv(name, value)
        # In this process: Arrow is imported by others anyway.
        results = [CliRunner().invoke(cli, command) for command in (*commands, ("clean", "--json"))]
    structlog.reset_defaults()
    assert [(result.exit_code, result.output) for result in results if result.exit_code] == []
    cleaned = json.loads(results[-1].stdout)
    assert cleaned["objects"] > 0
    assert cleaned["uploads"] == 1


def stop_at_the_last_receive(deployment: Deployment, environment: dict[str, str]) -> None:
    """One message is given back; the other is sent again, since SQS would dead-letter it."""
    lake, gate = deployment.lake, deployment.gates["consumer"]
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.dlq_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": 2}
    lake.sqs.set_queue_attributes(
        QueueUrl=lake.queue_url, Attributes={"RedrivePolicy": json.dumps(redrive)}
    )
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)
    put(lake, "raw/erp/received-before.json", export(CHECK))
    until(
        lambda: (
            "Messages" in lake.sqs.receive_message(QueueUrl=lake.queue_url, VisibilityTimeout=0)
        ),
        "it comes",
    )
    put(lake, "raw/erp/new.json", export(CHECK))
    with psycopg.connect(**conninfo(environment)) as connection:
        connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
        with deployment.daemon("consumer", "consumer", "run"):
            until(lambda: in_flight(lake) >= 2, "both are held")
        connection.rollback()
    redrive["maxReceiveCount"] = 5
    lake.sqs.set_queue_attributes(
        QueueUrl=lake.queue_url, Attributes={"RedrivePolicy": json.dumps(redrive)}
    )
    used = {grant.action for grant in gate.used if not grant.pattern.endswith("-dlq")}
    assert used >= {"sqs:SendMessage", "sqs:ChangeMessageVisibility"}


def doctor(deployment: Deployment) -> None:
    """Have each role's rights tried."""
    deployment.as_("operator", "consumer", "doctor", "--as", "operate")
    deployment.as_("consumer", "consumer", "doctor", "--as", "run")
    with served_console(deployment.environments["console"], console_operators="local") as url:
        assert "403" not in examined(url)


def in_flight(lake: Lake) -> int:
    name = "ApproximateNumberOfMessagesNotVisible"
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])
