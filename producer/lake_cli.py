"""The commands about the lake itself: upload, publish, init-lake."""

from pathlib import Path
from typing import Annotated

import typer

from producer import app as application
from producer.commands import AsJson, run, settings_of_the_environment, usage_errors
from producer.files import check_prefix, find_files, plan_shipments
from producer.tally import Tally
from schemas.keys import ERP_PREFIX


def upload_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Files, or folders with *.json and *.json.gz at any depth."
        ),
    ],
    *,
    to: Annotated[
        str, typer.Option(metavar="PREFIX", help="Where in the lake; starts with raw/.")
    ] = ERP_PREFIX,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Refuse files that are not JSON.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Put ERP exports into the lake, as they are, under their own names."""
    with usage_errors():
        settings = settings_of_the_environment()
        shipments = plan_shipments(find_files(files), check_prefix(to))
    run(
        lambda tally: application.run_upload(settings, shipments, tally, check=check),
        Tally(len(shipments)),
        {"command": "upload", "to": check_prefix(to)},
        as_json=as_json,
    )
