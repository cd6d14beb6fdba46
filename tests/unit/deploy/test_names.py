"""What deploy/ names exists: settings, commands, log events, alarms of the runbook, AWS's actions."""

import json
import re
from pathlib import Path

import pytest

from deploy.policies import NAMES, __main__, rendered
from docs.reference import generate
from docs.reference.commands import every_command

ROOT = Path(__file__).parent.parent.parent.parent
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
# Words in capitals that are AWS's and systemd's own.
NO_SETTINGS = {"STANDARD_IA", "AF_INET", "AF_INET6", "AF_UNIX"}
FILES = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.suffix in {".tf", ".hcl", ".yaml", ".yml", ".service", ".env", ".tftpl"}
    and ".terraform" not in path.parts
)
SERVICE = DEPLOY / "terraform" / "service"


def written(path: Path) -> str:
    """Return a file without its comments."""
    return re.sub(r"(?m)^\s*#.*$", "", path.read_text(encoding="utf-8"))


def test_every_environment_name_is_a_setting() -> None:
    known = {
        generate.variable(model, name)
        for model in generate.SETTINGS.values()
        for name in model.model_fields
    }
    named = {
        (path.name, word)
        for path in FILES
        for word in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", written(path))
        if not word.startswith("X86")
    }
    assert len(FILES) > 10
    assert len(named) > 15
    assert {one for one in named if one[1] not in known | NO_SETTINGS} == set()


def test_every_command_of_a_task_exists() -> None:
    tasks = written(SERVICE / "tasks.tf")
    shown = re.findall(r'command\s+= \["((?:consumer|producer)", .*?)\]', tasks)
    assert len(shown) == 3
    options = {
        path: {opt for one in command.params for opt in one.opts}
        for path, command in every_command()
    }
    for command in shown:
        words = re.findall(r'"([\w-]+)"', f'"{command}')
        path = " ".join(words[:2])
        assert {word for word in words[2:] if word.startswith("--")} <= options[path], command


def test_every_log_event_of_an_alarm_is_logged() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "consumer").rglob("*.py"))
    events = set(re.findall(r'\$\.event = \\"(\w+)\\"', written(SERVICE / "alarms.tf")))
    causes = set(re.findall(r'\$\.cause = \\"(\w+)\\"', written(SERVICE / "alarms.tf")))
    assert events == {"breaker_opened", "probe_failed", "object_retried"}
    assert [event for event in sorted(events) if f'"{event}"' not in code] == []
    assert causes == {"outage", "failure_burst"}
    assert [cause for cause in sorted(causes) if f'= "{cause}"' not in code] == []


def test_every_metric_of_aws_exists() -> None:
    """SQS Developer Guide, "Available CloudWatch metrics"; ECS Developer Guide, likewise."""
    known = {
        "AWS/SQS": {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfEmptyReceives",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesReceived",
            "NumberOfMessagesSent",
            "SentMessageSize",
        },
        "AWS/ECS": {"CPUUtilization", "MemoryUtilization"},
        "ECS/ContainerInsights": {"DesiredTaskCount", "PendingTaskCount", "RunningTaskCount"},
    }
    text = "".join(written(SERVICE / name) for name in ("alarms.tf", "scaling.tf"))
    named = set(re.findall(r'"(AWS/\w+|ECS/\w+)"', text))
    metrics = set(re.findall(r'"(?:AWS|ECS)/\w+", "(\w+)"', text))
    metrics |= set(re.findall(r'\bmetric(?:_name)? += "(\w+)"', text))
    metrics |= set(re.findall(r'\bname += "([A-Z]\w+)"', text))
    assert named == known.keys()
    assert len(metrics) >= 7
    assert metrics - set().union(*known.values()) == set()


def test_every_alarm_has_its_section_in_the_runbook() -> None:
    text = written(SERVICE / "alarms.tf")
    names = re.findall(r"^    ([A-Z]\w+) = \{", text, re.MULTILINE)
    names += re.findall(r"-\$?\{?([A-Z]\w+)\"", text)
    assert len(names) == 6
    assert [name for name in names if f"\n## {name}: " not in OPERATIONS] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_names_each_action_in_full_and_never_every_resource(name: str) -> None:
    policy = rendered(name, __main__.SAMPLE)
    for statement in policy["Statement"]:
        assert "*" not in json.dumps(statement["Action"])
        assert '"*"' not in json.dumps(statement["Resource"])


def test_a_misspelt_action_is_found() -> None:
    """`make lint` runs it over every policy."""
    good = rendered("producer", __main__.SAMPLE)
    assert __main__.findings(json.dumps(good)) == []
    bad = json.dumps(good).replace("s3:PutObject", "s3:PutObjct")
    assert __main__.findings(bad) == ["UNKNOWN_ACTION: Unknown action s3:PutObjct"]
