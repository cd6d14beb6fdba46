"""The guided tour: pull, load, break, look, repair, replay, a year with drift, every number, why.

Uses the programs exactly as a person would, on servers of its own; needs no network.
"""

import sys
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from devstack.demo import analyst, correction, report, warehouse, year
from devstack.demo.expectations import StoreDay, compare, expected_totals
from devstack.demo.programs import ProgramFailedError, Programs
from devstack.demo.year import Year
from devstack.environment import export_lines
from devstack.server import ServerFailedError, free_port
from devstack.stack import Stack, running_stack
from schemas.keys import ERP_PREFIX
from schemas.registry import ENDPOINTS

SAMPLES = Path(__file__).parent / "samples"
GOOD_EXPORT = SAMPLES / "closing_export.json"
LATE_EXPORT = SAMPLES / "late_export.json"
EXPORTED_STORE = "017 Demo"
STORES = ("99 CB CB", "001", "São João")
FIRST_DAY = date(2024, 1, 1)
DAYS_COUNT = 5
LAST_DAY = FIRST_DAY + timedelta(days=DAYS_COUNT - 1)
IDLE_SECONDS = 1

_NEXT = """\
[bold]Try next[/bold]
  make test                        everything that is checked before a change goes in
  .venv/bin/devstack demo --keep   the same tour, but the servers stay for you to look around
  .venv/bin/devstack up            servers in the background; prints what to export
  .venv/bin/consumer explain FILE  what the consumer would do with a message, touching nothing
  .venv/bin/consumer status        queues, ledger and lag; see also dlq list, drift
"""


def take_tour(*, keep: bool) -> int:
    """Take the tour and return the exit code: 0 only when every number was what it should be.

    Args:
        keep: Leave the servers running at the end, until interrupted.

    Raises:
        KeyboardInterrupt: the user interrupted; everything has been stopped.
    """
    console = Console(highlight=False)
    try:
        return _Tour(console).run(keep=keep)
    except (ProgramFailedError, ServerFailedError) as error:
        console.print(f"\nThe tour ends here: {error}", style="red", markup=False)
        return 1


class _Tour:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases = report.Phases(console)
        self._problems: list[str] = []

    def run(self, *, keep: bool) -> int:
        with ExitStack() as cleanup:
            with self._phases.phase(
                "Servers", "A real PostgreSQL, S3 and SQS by LocalStack, and a simulated ERP API."
            ):
                stack = cleanup.enter_context(running_stack(self._say_ready))
            self._programs = Programs(stack, self._console)
            self._stack = stack
            self._connection = cleanup.enter_context(warehouse.connect(stack.environment))
            self._pull()
            self._load()
            self._break()
            self._repair()
            self._replay()
            self._live_a_year()
            self._show_tables()
            self._check()
            self._explain()
            self._copy()
            code = self._conclude()
            if keep:
                self._keep(stack)
        return code

    def _say_ready(self, server: str, seconds: float) -> None:
        self._console.print(f"{server} ready after {seconds:.1f} s")

    def _pull(self) -> None:
        stores = [word for store in STORES for word in ("--store", store)]
        days = ("--from", FIRST_DAY.isoformat(), "--to", LAST_DAY.isoformat())
        with self._phases.phase(
            "From the API to the lake",
            "The producer stores each answer as it came; S3 announces each object on SQS.",
        ):
            self._programs.show("consumer", "migrate")
            self._programs.show("producer", "pull", *days, *stores)

    def _load(self) -> None:
        with self._phases.phase(
            "From the queue to the tables",
            "The consumer validates each object and upserts it; the ledger says what became of it.",
        ):
            self._consume(len(STORES) * DAYS_COUNT * len(ENDPOINTS))

    def _break(self) -> None:
        broken, text = self._stack.directory / LATE_EXPORT.name, LATE_EXPORT.read_text()
        broken.write_text(text[: len(text) // 2])
        with self._phases.phase(
            "Something breaks",
            "Two ERP exports arrive, one cut off half-way. It must not stop or vanish.",
        ):
            self._programs.show("producer", "upload", str(GOOD_EXPORT))
            self._programs.show("producer", "upload", "--no-check", str(broken))
            # They are expected from their first answers on, which the console shows.
            self._consume(2, "env", f"EXPECTED_STORES={','.join(STORES)}")
            self._programs.show("consumer", "dlq", "list")
            [version] = warehouse.versions_of(self._connection, _late_key())
            self._console.print(
                f"its error log, s3://…/{version.error_log_key}:", markup=False, soft_wrap=True
            )
            log = warehouse.read_json(self._stack.environment, version.error_log_key)
            self._console.print_json(data=log)
        self._expect("the broken export is dead-lettered", version.state == "dead_lettered")
        self._expect("its error code is json_malformed", version.error_code == "json_malformed")
        self._expect("one message is dead-lettered", self._dead_lettered() == 1)

    def _repair(self) -> None:
        with self._phases.phase(
            "The cause is repaired",
            "The whole export is uploaded under the same key; that is an event of its own.",
        ):
            self._programs.show("producer", "upload", str(LATE_EXPORT))
            self._consume(1)

    def _replay(self) -> None:
        with self._phases.phase(
            "The dead-lettered message is replayed",
            "It announces content that is no longer there: newer content wins, nothing is undone.",
        ):
            self._programs.show("consumer", "dlq", "replay")
            self._consume(0)
        states = [version.state for version in warehouse.versions_of(self._connection, _late_key())]
        self._expect("no message is dead-lettered any more", self._dead_lettered() == 0)
        self._expect("the repaired export is loaded", "loaded" in states)
        self._expect("nothing of it counts as dead-lettered", "dead_lettered" not in states)

    def _live_a_year(self) -> None:
        story = Year(self._stack, self._programs, self._connection, self._console)
        with self._phases.phase(year.TITLE, year.ABOUT):
            self._problems += story.live()
        with self._phases.phase(
            "The new name is made known",
            "One line in a file, as the drift report says it; the days are announced once more.",
        ):
            self._problems += story.repair()

    def _show_tables(self) -> None:
        counts = warehouse.row_counts(self._connection)
        revenue = warehouse.revenue_by_store(self._connection)
        objects = warehouse.objects_by_state(self._connection)
        with self._phases.phase("What is there now", "Straight from PostgreSQL."):
            columns: tuple[str, ...] = ("table", "rows")
            self._console.print(report.rows_table("Tables", columns, counts, left=1))
            self._console.print(report.rows_table("Revenue", analyst.COLUMNS, revenue, left=1))
            columns = ("source", "state", "error", "objects", "records", "quarantined")
            self._console.print(report.rows_table("Objects", columns, objects, left=3))
        texts = [[str(value) for value in row[2:]] for row in revenue if row[0] == EXPORTED_STORE]
        self._expect(
            "both exports are in the revenue", texts == [["2", "4", "229.9", "42.51", "-15"]]
        )

    def _check(self) -> None:
        days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS_COUNT)]
        store_days = [StoreDay(store, day) for store in STORES for day in days]
        with self._phases.phase(
            "Is it right?", "The ERP's own totals against the tables, store by store, day by day."
        ):
            totals = expected_totals(self._stack.environment, store_days)
            comparisons = compare(totals, self._connection)
            self._console.print(report.comparison_table(comparisons))
        for comparison in comparisons:
            self._expect(f"{comparison.name} agrees on every store-day", comparison.holds)

    def _explain(self) -> None:
        with self._phases.phase(
            "A number changes overnight",
            f"An export adds {correction.AMOUNT:.2f}: why, and are the tables still right?",
        ):
            path, day = correction.corrected(GOOD_EXPORT, self._stack.directory)
            self._programs.show("producer", "upload", str(path))
            self._consume(1)
            store = ("--store", EXPORTED_STORE)
            self._programs.show("consumer", "history", *store, "--day", day)
            days = ("--from", day, "--to", day, "--settled-minutes", "0")
            self._programs.show("consumer", "verify", *store, *days)

    def _copy(self) -> None:
        with self._phases.phase(
            "Analysts read it with engines of their own",
            "The tables are copied to Apache Iceberg in the lake; DuckDB reads two days there.",
        ):
            there, here = analyst.copy_and_compare(
                self._programs, self._stack.environment, self._connection, LAST_DAY
            )
            self._console.print(report.rows_table("By DuckDB", analyst.COLUMNS, there, left=1))
        self._expect("DuckDB's revenue is PostgreSQL's", there == here)

    def _conclude(self) -> int:
        self._console.print()
        self._console.print(self._phases.table())
        if self._problems:
            self._console.print("[red bold]Not as it should be:")
            for problem in self._problems:
                self._console.print(f"  [red]✗ {problem}")
            return 1
        self._console.print("[green bold]Every number is what it should be.\n")
        self._console.print(_NEXT, soft_wrap=True)
        return 0

    def _keep(self, stack: Stack) -> None:
        port = free_port()
        self._console.print(
            "[bold]The servers stay until Ctrl-C, and the console shows what they hold:[/bold] "
            f"http://127.0.0.1:{port}/\nIn another terminal:\n"
        )
        sys.stdout.write(export_lines(stack.environment) + "\n")
        sys.stdout.flush()
        self._programs.serve_console(port)
        stack.keeper.wait()

    def _expect(self, what: str, holds: bool) -> None:  # noqa: FBT001 - reads as a sentence
        if not holds:
            self._problems.append(f"expected: {what}")

    def _dead_lettered(self) -> int:
        return warehouse.dead_lettered_count(self._stack.environment)

    def _consume(self, objects_count: int, *prefix: str) -> None:
        """Run the consumer until the queue stays empty; show how many objects it settles."""
        before = warehouse.settled_count(self._connection)
        with report.settled_bar(self._console, objects_count) as tell:
            self._programs.watch(
                *(*prefix, "consumer", "run", "--until-idle", str(IDLE_SECONDS)),
                on_tick=lambda: tell(warehouse.settled_count(self._connection) - before),
            )
        settled = warehouse.settled_count(self._connection) - before
        self._console.print(f"{settled} objects reached their end state")
        self._expect(f"{objects_count} objects settled, not {settled}", settled == objects_count)


def _late_key() -> str:
    return f"{ERP_PREFIX}{LATE_EXPORT.name}"
