"""The commands that ask the ERP: pull and run."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from producer import app as application
from producer.commands.report import AsJson, run, settings_of_the_environment
from producer.pulling.targets import Plan, make_plan
from producer.settings import Settings
from producer.tally import Tally
from runtime.durations import seconds_of
from runtime.errors import SettingsInvalid
from runtime.terminal import reported_errors
from schemas.registry import ENDPOINTS_BY_NAME

StoreOption = Annotated[
    list[str] | None,
    typer.Option("--store", metavar="ID", help="Store id; repeatable."),
]
StoresFile = Annotated[
    Path | None,
    typer.Option(
        "--stores-file",
        metavar="FILE",
        help="Text file with one store id a line. Default of both: STORES.",
    ),
]
EndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="NAME",
        help=f"One of {', '.join(ENDPOINTS_BY_NAME)}; repeatable. Default: all.",
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
        help="Last business date, included. Default: the day of --from.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Also ask for answers that are already in the lake.")
]


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
    """Pull one ERP answer per store, business date and endpoint into the lake.

    Final answers in the lake are not asked for again, so an interrupted pull resumes where it
    stopped. An answer equal to the newest one in the lake is not written.
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
        Tally(plan.target_count),
        {
            "command": "pull",
            "from": plan.first_day.isoformat(),
            "to": plan.last_day.isoformat(),
            "stores": plan.stores,
            "endpoints": [chosen.name for chosen in plan.endpoints],
        },
        as_json=as_json,
    )


def run_command(
    *,
    every: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Start a round this often: 90s, 15m, 1h30m."),
    ],
    lookback: Annotated[
        int, typer.Option(metavar="DAYS", min=0, max=3660, help="Also pull this many past days.")
    ],
    store: StoreOption = None,
    stores_file: StoresFile = None,
    endpoint: EndpointOption = None,
) -> None:
    """Pull today and the last days, round after round, until SIGTERM or SIGINT."""
    with reported_errors():
        settings = settings_of_the_environment()
        every_seconds = seconds_of(every)
        stores = chosen_stores(settings, store, stores_file)

        def plan_until(today: date) -> Plan:
            first_day = today - timedelta(days=lookback)
            return make_plan(first_day, today, stores, tuple(endpoint or ()))

        plan_until(datetime.now(UTC).date())  # an unusable argument ends the command now
        asyncio.run(application.run_daemon(settings, plan_until, every_seconds))


def chosen_stores(
    settings: Settings, store: list[str] | None, stores_file: Path | None
) -> tuple[str, ...]:
    """Return the stores of the command line, or else those of STORES."""
    named = (*(store or ()), *(read_stores(stores_file) if stores_file else ()))
    return named or settings.stores


def read_stores(path: Path) -> tuple[str, ...]:
    """Read store ids from a UTF-8 text file, one a line; raises SettingsInvalid."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"--stores-file cannot be read: {error}; correct its path, or save it as UTF-8"
        ) from error
    stores = tuple(line.strip() for line in lines if line.strip())
    if not stores:
        raise SettingsInvalid(f"--stores-file {path} holds no store; write one id a line")
    if path.suffix.lower() == ".csv" or _is_table(stores):
        raise SettingsInvalid(
            f"--stores-file {path} is a CSV table; write its store ids, one a line and without "
            "the heading, to a text file"
        )
    return stores


def _is_table(lines: tuple[str, ...]) -> bool:
    # A comma in one store's name makes no column.
    counts = [{line.count(delimiter) for line in lines} for delimiter in ",;\t"]
    return len(lines) > 1 and any(len(count) == 1 and count != {0} for count in counts)
