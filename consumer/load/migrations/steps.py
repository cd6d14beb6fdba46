"""The schema's steps: SQL files in the order of their numbers.

Each says in its head which releases work with the tables that it leaves: those made for the named
schema or a later one. Without a word, only releases that know the step.
"""

import re
from importlib.resources import files
from pathlib import Path

_OLDEST = re.compile(r"^-- Works with releases from schema (\d{4}) on\.$", re.MULTILINE)


def step_files() -> list[Path]:
    """Return the SQL files of the steps, the first one first."""
    directory = Path(str(files("consumer.load.migrations")))
    return sorted(directory.glob("[0-9]*_*.sql"))


def schema_head() -> str:
    """Return the schema version that this release works with."""
    return step_number(step_files()[-1])


def known_versions() -> frozenset[str]:
    """Return the schema versions that this release knows."""
    return frozenset(map(step_number, step_files()))


def step_number(path: Path) -> str:
    """Return the schema version that a step brings."""
    return path.name.partition("_")[0]


def said_oldest(path: Path) -> str | None:
    """Return the schema of the oldest release that works after a step; None if it does not say."""
    said = _OLDEST.search(path.read_text(encoding="utf-8"))
    return said and said[1]


def works_from(schema: str) -> str:
    """Return the line by which a step says so."""
    return f"-- Works with releases from schema {schema} on."


def oldest_schema() -> str:
    """Return the schema of the oldest release that works after all steps."""
    return max(said_oldest(path) or step_number(path) for path in step_files())


def works_with(stored: str | None, oldest: str | None) -> bool:
    """Say whether this release works with tables of a schema, which tell the oldest that does."""
    head = schema_head()
    is_newer = stored is not None and stored > head
    return stored == head or (is_newer and oldest is not None and oldest <= head)
