"""README, `.env.example` and decisions say what the code does."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from consumer.cli import cli as consumer_cli
from consumer.metrics import REGISTRY
from consumer.policy import RULES, Reaction
from consumer.rows.tables import column_name
from consumer.settings import ConsumerSettings
from devstack.cli import app as devstack_cli
from devstack.erp.settings import SimulatorSettings
from producer.cli import cli as producer_cli
from producer.errors import ProducerError
from producer.settings import Settings as ProducerSettings
from schemas.aliases import load_aliases
from schemas.guest_checks import GuestCheck
from schemas.sources import Source

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / ".env.example"
MIGRATIONS = ROOT / "consumer" / "load" / "migrations"

PROGRAMS = {"consumer": consumer_cli, "producer": producer_cli, "devstack": devstack_cli}
MODELS: dict[str, type[BaseSettings]] = {
    "Consumer": ConsumerSettings,
    "Producer": ProducerSettings,
    "Simulated ERP": SimulatorSettings,
}
ORIGINAL_NAMES = {
    "BUCKET_NAME", "QUEUE_URL", "DLQ_URL", "API_BASE_URL", "API_TOKEN", "STORES",
    "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD",
    "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
}  # fmt: skip
# Raised by nobody: what others are told apart from.
ABSTRACT = {"ErpError", "LakeError", "QueueError"}
SAME_FILTERS = "same filters"
MEBIBYTE = 2**20
# Every command has the first; the second is what happens anyway.
UNWRITTEN = {"--help", "--no-keep"}

Row = tuple[str, ...]


def section(title: str, text: str = README) -> str:
    """Return what stands under a heading, up to the next heading."""
    [found] = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(title: str, text: str = README) -> list[Row]:
    """Return the rows of the table in a section, without its head."""
    lines = [line for line in section(title, text).splitlines() if line.startswith("|")]
    cells = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines)
    return list(cells)[2:]


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def variable(model: type[BaseSettings], name: str) -> str:
    """Return the environment variable of a field, the first if it has several."""
    alias = model.model_fields[name].validation_alias
    if alias is None:
        return f"{model.model_config.get('env_prefix', '')}{name}".upper()
    return str(getattr(alias, "choices", [alias])[0])


def settings_rows(model: type[BaseSettings]) -> list[Row]:
    """Return the rows that the README's table should have."""
    return [
        (f"`{variable(model, name)}`", shown(name, info), (info.description or "").rstrip("."))
        for name, info in model.model_fields.items()
    ]


def shown(name: str, info: Any) -> str:
    if info.is_required():
        return "required"
    if info.default in (None, ()):
        return ""
    if name.endswith("_bytes"):
        return f"{info.default // MEBIBYTE} MiB"
    return f"`{info.default}`"


def commands(group: Any, path: str) -> set[str]:
    """Return the full names of a command line's commands."""
    if not hasattr(group, "commands"):
        return {path}
    found = (commands(command, f"{path} {name}") for name, command in group.commands.items())
    return set().union(*found)


@pytest.mark.parametrize("title", MODELS)
def test_the_settings_table_is_the_settings_model(title: str) -> None:
    """Names, defaults and meanings, in the model's order."""
    expected = settings_rows(MODELS[title])
    assert expected == rows(title), "\n".join(f"| {' | '.join(row)} |" for row in expected)


@pytest.mark.parametrize("model", MODELS.values())
def test_sizes_have_defaults_that_the_table_can_show(model: type[BaseSettings]) -> None:
    """Whole mebibytes: the table rounds nothing away."""
    sizes = [info.default for name, info in model.model_fields.items() if name.endswith("_bytes")]
    assert [0] * len(sizes) == [size % MEBIBYTE for size in sizes]


def test_the_commands_table_has_every_command_there_is_and_no_other() -> None:
    built = (commands(typer.main.get_command(cli), name) for name, cli in PROGRAMS.items())
    documented = [re.match(r"`((?:[a-z]+[- ]?)+)", row[0]) for row in rows("Commands")]
    assert set().union(*built) == {match[1].strip() for match in documented if match}


def test_the_options_in_the_commands_table_exist() -> None:
    for row in rows("Commands"):
        words = re.findall(r"[a-z-]+", row[0])
        command: Any = typer.main.get_command(PROGRAMS[words[0]])
        for word in words[1:]:
            command = getattr(command, "commands", {}).get(word, command)
        known = {
            name for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        assert set() == set(re.findall(r"--[a-z-]+", " ".join(row))) - known, row[0]


def test_the_failures_of_the_producer_and_what_helps_are_those_of_the_code() -> None:
    """Every class that can be raised has a code of its own, and says what to do about it."""
    kinds = subclasses(ProducerError)
    raised = [kind for kind in kinds if "code" in vars(kind) and "remedy" in vars(kind)]
    assert {kind.__name__ for kind in kinds if kind not in raised} == ABSTRACT
    expected = [(f"`{kind.code}`", kind.remedy) for kind in raised]
    assert expected == rows("Failures of the producer"), "\n".join(
        f"| {' | '.join(row)} |" for row in expected
    )


def subclasses(root: type[ProducerError]) -> list[type[ProducerError]]:
    """Return the classes below, in the order in which they are written."""
    below = [[kind, *subclasses(kind)] for kind in root.__subclasses__()]
    return [kind for kinds in below for kind in kinds]


def test_every_option_stands_in_the_row_of_its_command() -> None:
    """A flag that nobody can read about is a flag that nobody uses."""
    missing = []
    for row in rows("Commands"):
        words = re.findall(r"[a-z-]+", row[0])
        command: Any = typer.main.get_command(PROGRAMS[words[0]])
        for word in words[1:]:
            command = getattr(command, "commands", {}).get(word, command)
        names = [name for param in command.params for name in (*param.opts, *param.secondary_opts)]
        flags = [name for name in names if name.startswith("--") and name not in UNWRITTEN]
        told = " ".join(other[1] for other in rows("Commands") if SAME_FILTERS in row[1])
        shown = re.findall(r"--[a-z-]+", " ".join((*row, told)))
        missing += [f"{row[0]}: {flag}" for flag in flags if flag not in shown]
    assert missing == []


def test_the_error_codes_table_is_the_policy_table() -> None:
    """Every code, what becomes of it, and what can be chosen instead."""
    words = {
        Reaction.DEAD_LETTER: "dead-lettered",
        Reaction.HOLD: "held until it works",
        Reaction.RETRY: "retried, then dead-lettered by the queue",
    }
    documented = [
        (row[0], row[1].removeprefix("good records load, "), row[2]) for row in rows("Error codes")
    ]
    expected = [
        (f"`{code}`", words[rule.reaction], ", ".join(f"`{other}`" for other in rule.instead))
        for code, rule in RULES.items()
    ]
    assert expected == documented


def test_the_metrics_table_has_every_metric_with_its_labels_and_meaning() -> None:
    expected = [
        (f"`{name}`", ", ".join(f"`{label}`" for label in labels), meaning)
        for name, labels, meaning in documented_metrics()
    ]
    found = rows("Metrics", OPERATIONS)
    assert expected == found, "\n".join(f"| {' | '.join(row)} |" for row in expected)


def documented_metrics() -> list[tuple[str, tuple[str, ...], str]]:
    """Return name, labels and meaning of each of the consumer's metrics, as Prometheus shows them."""
    metrics: list[Any] = list(dict.fromkeys(REGISTRY._collector_to_names))
    return [
        (
            metric._name + ("_total" if metric._type == "counter" else ""),
            metric._labelnames,
            metric._documentation,
        )
        for metric in metrics
    ]


def test_the_tables_table_has_every_table_and_view() -> None:
    sql = "\n".join(path.read_text(encoding="utf-8") for path in sorted(MIGRATIONS.glob("*.sql")))
    created = re.findall(r"^CREATE (?:TABLE|(?:OR REPLACE )?VIEW) (\w+)", sql, re.MULTILINE)
    dropped = re.findall(r"^DROP (?:TABLE|VIEW) (\w+)", sql, re.MULTILINE)
    assert set(created) - set(dropped) == {row[0].strip("`") for row in rows("Tables and views")}


def test_the_alias_example_loads_and_renames_what_it_says() -> None:
    [example] = code_blocks("toml")
    aliases = load_aliases(example, "README.md")
    [(path, [name])] = tomllib.loads(example)[Source.GUEST_CHECKS].items()
    level, _, canonical = path.rpartition(".")
    assert canonical in GuestCheck.model_fields
    assert column_name(canonical) == "gst_cnt"
    assert (name, canonical) in aliases.at(Source.ERP, level)


def test_the_links_of_the_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_map_of_the_house_shows_what_is_there() -> None:
    places = re.findall(r"^([\w./-]+)  ", section("The house"), re.MULTILINE)
    assert len(places) >= 8
    assert [place for place in places if not (ROOT / place).exists()] == []


def example_variables() -> Mapping[str, str | None]:
    return dotenv_values(EXAMPLE)


def without_environment(
    monkeypatch: pytest.MonkeyPatch, models: Iterable[type[BaseSettings]]
) -> None:
    for model in models:
        for name in model.model_fields:
            monkeypatch.delenv(variable(model, name), raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def test_the_example_environment_has_the_names_that_were_agreed() -> None:
    assert set(example_variables()) == ORIGINAL_NAMES
    known = {variable(model, name) for model in MODELS.values() for name in model.model_fields}
    assert known >= ORIGINAL_NAMES


def test_the_example_environment_sets_up_both_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_environment(monkeypatch, MODELS.values())
    consumer = ConsumerSettings(_env_file=EXAMPLE)
    producer = ProducerSettings(_env_file=EXAMPLE)
    assert consumer.bucket_name == producer.bucket_name == "coco-data-lake"
    assert consumer.queue_url.endswith("/coco-ingest")
    assert consumer.dlq_url == f"{consumer.queue_url}-dlq"
    assert consumer.conninfo["dbname"] == "coco"
    assert tuple(store.strip() for store in producer.stores) == ("99 CB CB", "001", "São João")
    for model, settings in ((ConsumerSettings, consumer), (ProducerSettings, producer)):
        named = {variable(model, name).lower(): name for name in model.model_fields}
        given = {named[name.lower()] for name in ORIGINAL_NAMES if name.lower() in named}
        assert given == given & settings.model_fields_set


def test_every_decision_has_its_context_options_choice_and_price() -> None:
    """One line each under a heading, so that they stay short."""
    entries = re.split(r"^### ", DECISIONS, flags=re.MULTILINE)[1:]
    assert len(entries) >= 20
    for entry in entries:
        lines = [line for line in entry.splitlines()[1:] if line and not line.startswith("## ")]
        labels = [re.match(r"\*\*(\w+)\.\*\* ", line) for line in lines]
        names = [label[1] if label else None for label in labels]
        assert names == ["Context", "Options", "Choice", "Price"], entry.splitlines()[0]
