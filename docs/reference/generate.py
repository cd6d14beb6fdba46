"""Writes the pages beside it from the code: `make reference`.

Each page says what one thing in the code says already (settings models, error codes, metrics,
command lines, the migrated tables), so none of them is edited by hand; tests compare them.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import psycopg
from prometheus_client import CollectorRegistry
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from console.settings import ConsoleSettings
from consumer.load.migrations.migrate import migrate
from consumer.metrics import CLOUDWATCH as CONSUMER_EMF
from consumer.metrics import REGISTRY
from consumer.policy import RULES, Reaction
from consumer.settings import ConsumerSettings, DatabaseSettings
from devstack.erp.settings import SimulatorSettings
from devstack.stack import running_stack
from docs.reference.commands import commands_page
from docs.reference.markdown import page, sentence, table
from lakehouse.metrics import CLOUDWATCH as LAKEHOUSE_EMF
from lakehouse.metrics import Metrics as LakehouseMetrics
from lakehouse.settings import LakehouseSettings
from producer.errors import ProducerError
from producer.metrics import CLOUDWATCH as PRODUCER_EMF
from producer.metrics import Metrics
from producer.settings import Settings as ProducerSettings
from runtime.emf import EmfMetric

HERE = Path(__file__).parent
SETTINGS: dict[str, type[BaseSettings]] = {
    "Consumer": ConsumerSettings,
    "Console": ConsoleSettings,
    "Producer": ProducerSettings,
    "Lakehouse": LakehouseSettings,
    "Simulated ERP": SimulatorSettings,
}
REACTIONS = {
    Reaction.DEAD_LETTER: "dead-lettered",
    Reaction.HOLD: "held until it works",
    Reaction.RETRY: "retried, then dead-lettered by the queue",
}
LIMITS = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
MEBIBYTE = 2**20

SETTINGS_INTRODUCTION = """\
Programs read their environment, and `.env` in the working directory (`cp .env.example .env`); a
variable that is really set counts more. Bytes are set as plain numbers."""
CONSOLE_INTRODUCTION = """\
Besides those of the consumer: which database, bucket and queues, and how it logs."""
CODES_INTRODUCTION = """\
Why an object was not loaded: in the ledger, logs, metrics, attributes of dead letters and filters.

*Dead-lettered*: the error log is written, a copy goes to the dead-letter queue, the message is
deleted. *Held*: the outage breaker opens; the message keeps its lease and uses up no receive.
*Retried*: given back with backoff until the queue's `maxReceiveCount`.

`ERROR_POLICY=object_missing=retry,unknown_source=ignore` chooses otherwise, where the third column
allows it. `ignore` leaves a ledger row and no dead letter; `retry` dead-letters at the last
receive. A choice for `access_denied` or `misconfigured` holds for single objects that S3 refuses,
not for a queue or a database."""
FAILURES_INTRODUCTION = """\
What a producer command could not do stands in its report with one of these codes; exit code 1."""
CLOUDWATCH_INTRODUCTION = """\
With `METRICS_EMF_SECONDS` these are written to stdout in CloudWatch's embedded metric format, and
CloudWatch Logs makes metrics of them, in the namespace `METRICS_EMF_NAMESPACE`, with `Service` as
the only dimension."""
METRICS_INTRODUCTION = """\
Prometheus text under `/metrics` of the health port. [The runbook](../operations.md) says what to
alert on."""
TABLES_INTRODUCTION = """\
Columns are the snake_case of the ERP's fields. Money is `numeric`, exactly as sent; `*_utc` is
`timestamptz`, `*_lcl` the store's wall clock; `extra` holds the fields that the contract does not
name. **Rows with `removed_at` were taken back by the ERP: filter on `removed_at IS NULL`.** The
views do: [views.md](views.md) has their grain, traps and tested queries."""

# Tables before views, each by name; Alembic's own table is nobody's business.
RELATIONS = """
    SELECT relname, CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END,
        coalesce(obj_description(oid, 'pg_class'), '')
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
        AND relname <> 'alembic_version'
    ORDER BY relkind = 'v', relname"""
PRIMARY_KEY = """
    SELECT attname
    FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indisprimary AND indrelid = %s::regclass
    ORDER BY array_position(indkey::int2[], attnum)"""
COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
    FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum"""


def settings_page() -> str:
    """Every environment variable of every program."""
    parts = [SETTINGS_INTRODUCTION]
    for title, model in SETTINGS.items():
        # The console is told what the consumer is told, and more.
        told = ConsumerSettings.model_fields if model is ConsoleSettings else {}
        rows = [
            (
                f"`{variable(model, name)}`",
                default(name, info),
                allowed(info),
                sentence(info.description or ""),
            )
            for name, info in model.model_fields.items()
            if name not in told
        ]
        parts += [
            f"## {title}",
            *([CONSOLE_INTRODUCTION] if told else []),
            table(("variable", "default", "allowed", "meaning"), rows),
        ]
    return page("Settings", parts)


def variable(model: type[BaseSettings], name: str) -> str:
    """Return the environment variable of a field, the first if it has several."""
    alias = model.model_fields[name].validation_alias
    if alias is None:
        return f"{model.model_config.get('env_prefix', '')}{name}".upper()
    return str(getattr(alias, "choices", [alias])[0])


def default(name: str, info: FieldInfo) -> str:
    """Return a field's default as one would set it, or in MiB."""
    value = info.default
    if info.is_required():
        return "required"
    if value is PydanticUndefined or value in (None, ()):
        return ""
    if name.endswith("_bytes") and value % MEBIBYTE == 0:
        return f"{value // MEBIBYTE} MiB"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def allowed(info: FieldInfo) -> str:
    """Return the range that a number may be in, or the words to choose from."""
    if get_origin(info.annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(info.annotation))
    found = [
        f"{word} {getattr(limit, name):,}"
        for name, word in LIMITS.items()
        for limit in info.metadata
        if hasattr(limit, name)
    ]
    return " ".join(found)


def error_codes_page() -> str:
    """What failed, what becomes of it, and what helps."""
    consumer = [
        (
            f"`{code}`",
            REACTIONS[rule.reaction],
            ", ".join(f"`{other}`" for other in rule.instead),
            sentence(rule.cause),
            sentence(rule.remedy),
        )
        for code, rule in RULES.items()
    ]
    producer = [(f"`{kind.code}`", summary(kind), sentence(kind.remedy)) for kind in failures()]
    head = ("code", "what happens", "or, by choice", "cause", "what to do")
    return page(
        "Error codes",
        [
            CODES_INTRODUCTION,
            table(head, consumer),
            "## Failures of the producer",
            FAILURES_INTRODUCTION,
            table(("code", "cause", "what to do"), producer),
        ],
    )


def failures(root: type[ProducerError] = ProducerError) -> Iterator[type[ProducerError]]:
    """Yield what the producer may report, in the order in which it is written."""
    for kind in root.__subclasses__():
        if "remedy" in vars(kind):
            yield kind
        yield from failures(kind)


def summary(thing: Any) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def metrics_page() -> str:
    """Every metric with its labels."""
    parts = [METRICS_INTRODUCTION]
    for title, registry in registries():
        head = ("metric", "type", "labels", "meaning")
        parts += [f"## {title}", table(head, list(metrics(registry)))]
    parts += ["## CloudWatch", CLOUDWATCH_INTRODUCTION]
    programs = {"Consumer": CONSUMER_EMF, "Producer": PRODUCER_EMF, "Lakehouse": LAKEHOUSE_EMF}
    for title, chosen in programs.items():
        rows = [
            (f"`{one.name}`", title.lower(), one.unit, f"`{source(one)}`", statistic(one))
            for one in chosen
        ]
        parts.append(table(("metric", "`Service`", "unit", "from", "statistic"), rows))
    return page("Metrics", parts)


def source(metric: EmfMetric) -> str:
    """Return the series that a metric of CloudWatch is made from."""
    labels = ", ".join(
        f'{label}="{words[0]}"' if len(words) == 1 else f'{label}=~"{"|".join(words)}"'
        for label, words in metric.labels.items()
    )
    return f"{metric.sample.removesuffix('_sum')}{f'{{{labels}}}' if labels else ''}"


def statistic(metric: EmfMetric) -> str:
    """Return what to look at of a metric of CloudWatch."""
    if metric.per:
        return "Average"
    return "Sum" if metric.is_added_up else "Maximum"


def registries() -> list[tuple[str, CollectorRegistry]]:
    """Return the metrics of each program that serves some."""
    return [
        ("Consumer", REGISTRY),
        ("Producer", Metrics().registry),
        ("Lakehouse", LakehouseMetrics().registry),
    ]


def metrics(registry: CollectorRegistry) -> Iterator[tuple[str, ...]]:
    """Yield name, type, labels and meaning of each metric, as Prometheus shows them."""
    collectors: list[Any] = list(dict.fromkeys(registry._collector_to_names))
    for metric in collectors:
        total = "_total" if metric._type == "counter" else ""
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        yield f"`{metric._name}{total}`", metric._type, labels, sentence(metric._documentation)


def tables_page(connection: psycopg.Connection[Any]) -> str:
    """Every table and view of a migrated database, as its comments describe it."""
    parts = [TABLES_INTRODUCTION]
    for name, kind, comment in connection.execute(RELATIONS).fetchall():
        key = connection.execute(PRIMARY_KEY, [name]).fetchall()
        columns = connection.execute(COLUMNS, [name]).fetchall()
        shown = f"Key: {', '.join(f'`{column}`' for (column,) in key)}." if key else f"A {kind}."
        rows = [(f"`{column}`", of, about or "") for column, of, about in columns]
        parts += [f"## {name}", f"{comment}. {shown}", table(("column", "type", "meaning"), rows)]
    return page("Tables and views", parts)


#: The pages that need no server, by name.
PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "error-codes": error_codes_page,
    "metrics": metrics_page,
    "commands": commands_page,
}


def main() -> None:
    """Write every page; a database of its own tells of the tables."""
    texts = {name: build() for name, build in PAGES.items()}
    with running_stack() as stack:
        variables = {name.lower(): value for name, value in stack.environment.items()}
        settings = DatabaseSettings.model_validate(variables)
        migrate(settings)
        with psycopg.connect(**settings.conninfo) as connection:
            texts["tables"] = tables_page(connection)
    for name, text in texts.items():
        (HERE / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
