"""The command: everything is asked at once; then the checks judge."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import typer

from consumer.operate.doctor.announcing import AnnouncingSettings, check_announcing
from consumer.operate.doctor.change_feed import check_feed, probe_feed
from consumer.operate.doctor.configuration import check_configuration, check_host
from consumer.operate.doctor.database import probe_database
from consumer.operate.doctor.findings import Finding, Level, Unknown, not_checked
from consumer.operate.doctor.lake import check_lake, probe_lake
from consumer.operate.doctor.queues import check_queues, probe_queue
from consumer.operate.doctor.roles import NEEDS, Needs, Role
from consumer.operate.doctor.tables import check_database
from consumer.settings import ConsumerSettings
from runtime.errors import EXIT_FAILED
from runtime.terminal import AsJson, finish, print_json, printable, settings_of

_PROBE_SECONDS = 8.0

T = TypeVar("T")


def doctor(
    *,
    role: Annotated[
        Role | None,
        typer.Option(
            "--as",
            help="Check what this role needs and no more: `run` for the service, `operate` for "
            "people who look and replay. Default: all.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check configuration, permissions, queues, bucket and database; say what to fix.

    Changes nothing. Exits 1 if there is a problem; warnings do not count.
    """
    settings, announcing = settings_of(ConsumerSettings), settings_of(AnnouncingSettings)
    findings = finish(examine(settings, announcing, NEEDS[role]))
    counts = Counter(one.level for one in findings)
    if as_json:
        print_json({"ok": not counts[Level.PROBLEM], "findings": findings})
    else:
        for one in findings:
            remedy = f"\n  -> {one.remedy}" if one.remedy else ""
            typer.echo(printable(f"{one.level}: {one.check}: {one.found}{remedy}"))
        typer.echo("\n" + ", ".join(f"{counts[level]} {level}" for level in Level if counts[level]))
    if counts[Level.PROBLEM]:
        raise typer.Exit(EXIT_FAILED)


async def examine(
    settings: ConsumerSettings, announcing: AnnouncingSettings, needs: Needs
) -> list[Finding]:
    """Take about ten seconds at most; what is down is reported, and the rest goes on."""
    queue = probe_queue(settings, settings.queue_url, "QUEUE_URL", needs.queue)
    looks = needs.looks_at_dead_letters
    letters = probe_queue(settings, settings.dlq_url, "DLQ_URL", needs.dead_letters, looks=looks)
    main, dead, lake, database, feed, host = await asyncio.gather(
        _bounded(queue, "the queue"),
        _bounded(letters, "the dead-letter queue"),
        _bounded(probe_lake(settings, needs), "the bucket"),
        _bounded(probe_database(settings, needs.tables), "the database"),
        _bounded(probe_feed(settings), "the database"),
        _bounded(asyncio.to_thread(check_host, settings), "this machine")
        if needs.runs
        else _no_findings(),
    )
    if isinstance(host, Unknown):
        host = [not_checked("health port", host.reason, host.remedy)]
    return [
        *check_configuration(settings, runs=needs.runs),
        *host,
        *check_queues(main, dead, settings),
        *check_lake(lake, settings, needs),
        *check_announcing(lake, main, settings.bucket_name, announcing.events, settings.layout),
        *check_database(database, settings, needs),
        *check_feed(feed),
    ]


async def _no_findings() -> list[Finding]:
    """Find nothing: somebody else's machine runs the service."""
    return []


async def _bounded(probe: Awaitable[T | Unknown], what: str) -> T | Unknown:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await probe
    except TimeoutError:
        reason = f"{what} does not answer within {_PROBE_SECONDS:g} s"
    except OSError as error:
        reason = f"{what} cannot be asked: {error}"
    return Unknown(reason, "check its address in the settings, and the network")
