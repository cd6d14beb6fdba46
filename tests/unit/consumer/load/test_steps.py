"""The schema's steps: what their names and their heads must say, before any database is asked."""

from consumer.load.migrations.steps import said_oldest, step_files, step_number, works_from


def test_steps_are_numbered_from_0001_without_gap_or_repetition() -> None:
    """Two steps of one number, or a gap, are two branches that did not hear of each other."""
    files = step_files()
    expected = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert expected == [step_number(path) for path in files]


def test_every_sql_file_beside_the_steps_is_one_and_says_what_it_does() -> None:
    """A file of another name would be there and never run."""
    directory = step_files()[0].parent
    assert sorted(directory.glob("*.sql")) == step_files()
    for path in step_files():
        assert path.read_text(encoding="utf-8").startswith("-- "), path.name


def test_each_step_says_which_releases_work_with_it() -> None:
    """Also that none older do: then it names its own number (CONTRIBUTING.md, "Change a table")."""
    for path in step_files():
        said, number = said_oldest(path), step_number(path)
        assert number < "0010" or said, f"{path.name} lacks {works_from(number)!r} in its head"
        assert said is None or "0001" <= said <= number, path.name
