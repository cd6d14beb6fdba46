from importlib.resources import files
from pathlib import Path

from consumer.load import statements

SQL = Path(str(files("consumer.load"))) / "sql"


def test_every_statement_has_a_name_of_its_own_and_says_what_it_does() -> None:
    """They are asked for by name, without their folder."""
    paths = list(SQL.rglob("*.sql"))
    assert len(paths) == len({path.name for path in paths})
    for path in paths:
        assert statements.text(path.stem).startswith("-- "), path


def test_every_statement_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SQL.parent.parent.rglob("*.py"))
    assert [] == [path.stem for path in SQL.rglob("*.sql") if f'"{path.stem}"' not in code]
