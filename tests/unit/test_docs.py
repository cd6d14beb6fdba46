"""The documents say what the code does; those in docs/reference are generated from it."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from consumer.settings import ConsumerSettings
from docs.reference import generate
from docs.reference.commands import every_command
from producer.errors import ProducerError
from producer.settings import Settings as ProducerSettings
from schemas.aliases import load_aliases
from schemas.columns import column_name
from schemas.guest_checks import GuestCheck
from schemas.layouts import read_layout
from schemas.registry import Source

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ANALYSTS = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / ".env.example"
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")})
ORIGINAL_NAMES = {
    "BUCKET_NAME", "QUEUE_URL", "DLQ_URL", "API_BASE_URL", "API_TOKEN", "STORES",
    "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD",
    "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
}  # fmt: skip
# Never raised themselves.
ABSTRACT = {"ErpError", "LakeError", "QueueError"}


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name: str) -> None:
    written = (generate.HERE / f"{name}.md").read_text(encoding="utf-8")
    assert generate.PAGES[name]() == written, "the code has changed: run `make reference`"


def test_every_page_of_the_reference_is_generated() -> None:
    """A page that nobody writes any more would stay as it was; that of the views is by hand."""
    assert {*generate.PAGES, "tables", "views"} == {
        path.stem for path in generate.HERE.glob("*.md")
    }


def test_every_failure_of_the_producer_has_a_code_and_a_remedy() -> None:
    raised = {kind.__name__ for kind in generate.failures() if "code" in vars(kind)}
    assert {kind.__name__ for kind in subclasses(ProducerError)} - raised == ABSTRACT


def subclasses(root: type[ProducerError]) -> set[type[ProducerError]]:
    return set().union(*({kind, *subclasses(kind)} for kind in root.__subclasses__()))


def test_the_readme_is_short_enough_to_read_standing() -> None:
    assert len(README.splitlines()) <= 160


def test_the_commands_that_the_documents_name_exist() -> None:
    """With their options, wherever a code block or a code span shows one."""
    known = {
        path: {
            option for param in command.params for option in (*param.opts, *param.secondary_opts)
        }
        for path, command in every_command()
    }
    wrong = []
    for document in DOCUMENTS:
        for shown in shown_commands(document.read_text(encoding="utf-8")):
            path = next(
                (path for path in sorted(known, reverse=True) if shown.startswith(path)), ""
            )
            options = set(re.findall(r"--[a-z-]+", shown.partition(" -- ")[0]))
            if not path or options - known[path]:
                wrong.append(f"{document.name}: {shown}")
    assert wrong == []


def shown_commands(text: str) -> list[str]:
    """Return the lines and code spans that call one of our programs with a command."""
    blocks = re.findall(r"^```(?:console|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)]
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    calls = [re.split(r"  +#", line)[0].strip() for line in (*lines, *spans)]
    return [call for call in calls if re.match(r"(consumer|producer|devstack) [a-z]", call)]


def code_blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_alias_example_loads_and_renames_what_it_says() -> None:
    example, envelopes = code_blocks("toml", OPERATIONS)
    assert load_aliases(envelopes, "operations.md").record_paths(Source.ERP)
    aliases = load_aliases(example, "operations.md")
    [(path, [name])] = tomllib.loads(example)[Source.GUEST_CHECKS].items()
    level, _, canonical = path.rpartition(".")
    assert canonical in GuestCheck.model_fields
    assert column_name(canonical) == "gst_cnt"
    assert (name, canonical) in aliases.at(Source.ERP, level)


def test_the_key_templates_of_the_runbook_read_the_keys_beside_them() -> None:
    rows = re.findall(r"^\| `(\S+\{\S+)` \| `(\S+)` \|$", OPERATIONS, re.MULTILINE)
    assert len(rows) == 4
    layout = read_layout(",".join(template for template, _ in rows))
    for template, key in rows:
        assert read_layout(template).is_document(key)
        assert layout.is_document(key)


def test_the_links_of_the_documents_lead_somewhere() -> None:
    assert len(DOCUMENTS) >= 10
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_map_of_the_house_shows_what_is_there() -> None:
    [house] = re.findall(r"^## The house\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    places = re.findall(r"^([\w./-]+)  ", house, re.MULTILINE)
    rooms = [name for row in re.findall(r"^\| (`.*?) \|", house, re.MULTILINE)
             for name in re.findall(r"`(\w+)/`", row)]  # fmt: skip
    assert len(places) >= 8
    assert [place for place in places if not (ROOT / place).exists()] == []
    there = {path.parent.name for path in (ROOT / "consumer").glob("*/__init__.py")}
    assert set(rooms) == there


def example_variables() -> Mapping[str, str | None]:
    return dotenv_values(EXAMPLE)


def without_environment(
    monkeypatch: pytest.MonkeyPatch, models: Iterable[type[BaseSettings]]
) -> None:
    for model in models:
        for name in model.model_fields:
            monkeypatch.delenv(generate.variable(model, name), raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def test_the_example_environment_has_the_names_that_were_agreed() -> None:
    models = generate.SETTINGS.values()
    assert set(example_variables()) == ORIGINAL_NAMES
    known = {generate.variable(model, name) for model in models for name in model.model_fields}
    assert known >= ORIGINAL_NAMES


def test_the_example_environment_sets_up_both_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_environment(monkeypatch, generate.SETTINGS.values())
    consumer = ConsumerSettings(_env_file=EXAMPLE)
    producer = ProducerSettings(_env_file=EXAMPLE)
    assert consumer.bucket_name == producer.bucket_name == "coco-data-lake"
    assert consumer.queue_url.endswith("/coco-ingest")
    assert consumer.dlq_url == f"{consumer.queue_url}-dlq"
    assert consumer.conninfo["dbname"] == "coco"
    assert tuple(store.strip() for store in producer.stores) == ("99 CB CB", "001", "São João")
    for model, settings in ((ConsumerSettings, consumer), (ProducerSettings, producer)):
        named = {generate.variable(model, name).lower(): name for name in model.model_fields}
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


def test_a_commit_is_checked_as_make_lint_checks() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^(_\w+):\n((?:\t.*\n)+)", makefile, re.MULTILINE))
    [named] = re.findall(r"^lint:.*\n\t.*\$\(MAKE\).*? ((?:_\w+ ?)+)$", makefile, re.MULTILINE)
    assert set(named.split()) == set(recipes)
    checks = re.findall(r"^\t@\$\(BIN\)/(.*)$", "".join(recipes.values()), re.MULTILINE)
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [local] = config["repos"]
    assert local["repo"] == "local"
    entries = {hook["entry"] for hook in local["hooks"]}
    assert {f".venv/bin/{check}" for check in checks} == entries
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert targets == listed == set(phony.split())


def test_the_architecture_names_every_statement_of_the_transaction() -> None:
    """None that is gone, and none left out."""
    source = (ROOT / "consumer" / "load" / "transaction.py").read_text(encoding="utf-8")
    there = {path.stem for path in (ROOT / "consumer" / "load" / "sql").rglob("*.sql")}
    executed = set(re.findall(r'"(\w+)"', source)) & there
    [table] = re.findall(
        r"^\| step \| statements .*?(?=^\n)", ARCHITECTURE, re.MULTILINE | re.DOTALL
    )
    assert executed == set(re.findall(r"`(\w+)`", table))


def test_the_modules_that_the_architecture_names_are_there() -> None:
    named = set(re.findall(r"`(?:\w+/)*(\w+\.py)`", ARCHITECTURE))
    there = {
        path.name for package in ("consumer", "schemas") for path in (ROOT / package).rglob("*.py")
    }
    assert len(named) >= 10
    assert named <= there


def test_the_words_that_the_documents_quote_are_in_the_code() -> None:
    """Log events, codes, columns and settings that were renamed would mislead who looks for them."""
    packages = ("consumer", "producer", "schemas", "devstack", "runtime", "localstack-init")
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".sql", ".toml"}
    )
    known = set(re.findall(r"[A-Za-z_]+", code)) | set(re.findall(r"[A-Z_]+", code.upper()))
    quoted = {
        word
        for document in (README, OPERATIONS, ARCHITECTURE, CONTRIBUTING, ANALYSTS)
        for span in re.findall(r"`([^`\n]+)`", document)
        for word in re.findall(r"^[A-Za-z]+(?:_[A-Za-z]+)+$", span)
    }
    assert len(quoted) > 30
    assert quoted - known == set()
