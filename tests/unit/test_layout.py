"""Where tests and their helpers stand, and what they may know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "tests"
LONGEST_LINES = 300
EVENT = "'[a-z]+(_[a-z]+)+'"
PRODUCT = (
    "consumer",
    "producer",
    "console",
    "lakehouse",
    "schemas",
    "runtime",
    "devstack",
    "bench",
)


def imported(path: Path) -> Iterator[str]:
    """Give the modules that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield node.module


def imported_through_helpers(path: Path) -> set[str]:
    """Give what a module imports, and what the test helpers among that import in turn."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        for module in set(imported(waiting.pop())) - found:
            found.add(module)
            helper = ROOT / f"{module.replace('.', '/')}.py"
            if module.startswith("tests.") and helper.exists():
                waiting.append(helper)
    return found


def test_tests_find_their_helpers_in_support() -> None:
    """A test module that another one imports cannot be changed on its own."""
    wrong = [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in TESTS.rglob("*.py")
        for module in imported(path)
        if module.startswith("tests.") and module.split(".")[1] not in {"support", "conftest"}
    ]
    assert [] == wrong


def test_e2e_drives_the_commands_and_knows_nothing_of_what_is_inside() -> None:
    """What runs is the installed program: its arguments, exit code, output, and the servers' state."""
    wrong = [
        f"{path.name} knows {module}"
        for path in (TESTS / "e2e").glob("*.py")
        for module in imported_through_helpers(path)
        if module.partition(".")[0] in {"consumer", "producer"}
    ]
    assert [] == wrong


def test_no_helper_is_too_long_to_be_read() -> None:
    counts = {
        path.relative_to(TESTS): len(path.read_text(encoding="utf-8").splitlines())
        for path in (TESTS / "support").rglob("*.py")
    }
    assert {} == {path: count for path, count in counts.items() if count > LONGEST_LINES}


def test_a_room_of_the_consumer_is_seen_at_a_glance() -> None:
    """Four to nine files, but where each is a thing apart: a command, a migration, a diagnosis."""
    own = {
        ROOT / "consumer" / name for name in ("", "operate", "operate/doctor", "load/migrations")
    }
    rooms = {path.parent for path in (ROOT / "consumer").rglob("__init__.py")} - own
    counts = {room.relative_to(ROOT): len(list(room.glob("*.py"))) for room in rooms}
    assert {} == {room: count for room, count in counts.items() if not 4 <= count <= 9}


def test_unit_tests_stand_in_the_rooms_of_what_they_test() -> None:
    found = {
        path.parent.relative_to(TESTS / "unit") for path in (TESTS / "unit").rglob("test_*.py")
    }
    rooms = [room for room in found if room.parts and room.parts[0] in {"consumer", "producer"}]
    assert [] == [room for room in rooms if not (ROOT / room / "__init__.py").exists()]


def dialect(node: ast.AST) -> str | None:
    """Say how a piece of the product is written otherwise than the rest."""
    if isinstance(node, ast.ExceptHandler) and node.name not in (None, "error"):
        return f"except … as {node.name}"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr == "create_task" and "name" not in {word.arg for word in node.keywords}:
        return "a task without a name"
    is_log = isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
    if is_log and node.func.attr in {"debug", "info", "warning", "error", "exception"}:
        event = node.args[0]
        if not isinstance(event, ast.Name) and not re.fullmatch(EVENT, ast.unparse(event)):
            return f"log event {ast.unparse(event)}"
    return None


def test_the_programs_speak_one_dialect() -> None:
    """Tasks have names, errors are called error, and log events are snake_case."""
    wrong = [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {found}"
        for package in PRODUCT
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (found := dialect(node))
    ]
    assert [] == wrong
