"""The console's SQL: one file for each query, in `sql/`, known by its name."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from console.errors import ConsoleError


def named(name: str) -> bytes:
    """Return the SQL of `sql/<name>.sql`; raises ConsoleError if there is none."""
    try:
        return _texts()[name]
    except KeyError as error:
        raise ConsoleError(f"there is no query {name}: add console/data/sql/{name}.sql") from error


@cache
def _texts() -> dict[str, bytes]:
    paths = Path(str(files("console.data"))).glob("sql/**/*.sql")
    return {path.stem: path.read_bytes() for path in paths}
