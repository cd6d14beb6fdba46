"""The command: a table for people, JSON for machines, and an exit code."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from consumer.operate.doctor.examination import AnnouncingSettings, examine
from consumer.operate.doctor.findings import Finding, Level
from consumer.settings import ConsumerSettings
from runtime.errors import EXIT_FAILED
from runtime.terminal import finish, print_json, print_table, printable, settings_of


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False
) -> None:
    """Check configuration, permissions, queues, bucket and database; say what to fix.

    Changes nothing. Exits 1 if there is a problem; warnings do not count.
    """
    findings = finish(examine(settings_of(ConsumerSettings), settings_of(AnnouncingSettings)))
    is_well = not any(finding.level is Level.PROBLEM for finding in findings)
    if as_json:
        print_json({"ok": is_well, "findings": findings})
    else:
        _print(findings)
    if not is_well:
        raise typer.Exit(EXIT_FAILED)


def _print(findings: Sequence[Finding]) -> None:
    rows = ((one.level, one.check, one.found) for one in findings)
    print_table(("level", "check", "found"), rows)
    # Beside the table, because a command that is broken into cells cannot be copied.
    for one in findings:
        if one.remedy and one.level is not Level.OK:
            told = f"\n{one.level}: {one.check}: {one.found}\n  -> {one.remedy}"
            typer.echo(printable(told))
    counts = Counter(one.level for one in findings)
    typer.echo("\n" + ", ".join(f"{counts[level]} {level}" for level in Level if counts[level]))
