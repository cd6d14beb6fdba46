"""The commands that ask the ERP: pull, run."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from producer import app as application
from producer.commands.shared import AsJson, run, settings_of_the_environment
from producer.pulling.durations import seconds_of
from producer.pulling.stores import read_stores
from producer.pulling.targets import Plan, make_plan
from producer.settings import Settings
from producer.tally import Tally
from runtime.terminal import reported_errors
from schemas.sources import ENDPOINTS_BY_NAME

StoreOption = Annotated[
    list[str] | None,
    typer.Option("--store", metavar="ID", help="Store id; repeatable."),
]
StoresFile = Annotated[
    Path | None,
    typer.Option(
        "--stores-file",
        metavar="FILE",
        help="Text file with a store id a line; STORES counts if neither is given.",
    ),
]
EndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="NAME",
        help=f"One of {', '.join(ENDPOINTS_BY_NAME)}; repeatable; all if left out.",
    ),
]
FirstDay = Annotated[
    datetime,
    typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First business date."),
]
LastDay = Annotated[
    datetime | None,
    typer.Option(
        "--to",
        formats=["%Y-%m-%d"],
        metavar="DAY",
        help="Last business date, included; the day of --from if left out.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Ask also for what is in the lake already.")]


def pull_command(  # noqa: PLR0913 - typer makes an option of each parameter
    *,
    first_day: FirstDay,
    last_day: LastDay = None,
    store: StoreOption = None,
    stores_file: StoresFile = None,
    endpoint: EndpointOption = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Bring the lake up to date: one ERP answer per store, business date and endpoint.

    Answers that are in the lake and final are not asked for again, so an interrupted pull goes
    on where it stopped. An answer that says what the newest one in the lake says is not written.
    """
    with reported_errors():
        settings = settings_of_the_environment()
        plan = make_plan(
            first_day.date(),
            (last_day or first_day).date(),
            chosen_stores(settings, store, stores_file),
            tuple(endpoint or ()),
        )
    run(
        lambda tally: application.run_pull(settings, plan, tally, force=force),
        Tally(plan.cell_count),
        {"command": "pull", **_about(plan)},
        as_json=as_json,
    )


def run_command(
    *,
    every: Annotated[
        str, typer.Option(metavar="DURATION", help="From round to round: 90s, 15m, 1h30m.")
    ],
    lookback: Annotated[
        int, typer.Option(metavar="DAYS", min=0, max=3660, help="Days before today, too.")
    ],
    store: StoreOption = None,
    stores_file: StoresFile = None,
    endpoint: EndpointOption = None,
) -> None:
    """Keep pulling today and the last days, round after round, until told to stop."""
    with reported_errors():
        settings = settings_of_the_environment()
        every_seconds = seconds_of(every)
        stores = chosen_stores(settings, store, stores_file)

        def plan_until(today: date) -> Plan:
            first_day = today - timedelta(days=lookback)
            return make_plan(first_day, today, stores, tuple(endpoint or ()))

        plan_until(datetime.now(UTC).date())  # says now what would be wrong in every round
        asyncio.run(application.run_daemon(settings, plan_until, every_seconds))


def chosen_stores(
    settings: Settings, store: list[str] | None, stores_file: Path | None
) -> tuple[str, ...]:
    """Return the stores of the command line, or else those of the settings.

    Raises:
        ConfigurationError: The file cannot be read, or holds no store.
    """
    named = (*(store or ()), *(read_stores(stores_file) if stores_file else ()))
    return named or settings.stores


def _about(plan: Plan) -> dict[str, object]:
    return {
        "from": plan.first_day.isoformat(),
        "to": plan.last_day.isoformat(),
        "stores": plan.stores,
        "endpoints": [chosen.name for chosen in plan.endpoints],
    }
