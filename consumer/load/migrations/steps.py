"""The schema's steps: SQL files in the order of their numbers."""

from importlib.resources import files
from pathlib import Path


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
