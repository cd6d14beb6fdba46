"""The commands about the lake itself: upload, publish and init-lake."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from producer import app as application
from producer.commands.report import AsJson, run, settings_of_the_environment
from producer.lake import LakeEntry
from producer.sending.publish import Selection
from producer.sending.upload_files import check_prefix, find_files, plan_uploads
from producer.tally import Tally
from runtime.terminal import finish, reported_errors
from schemas.keys import ERP_PREFIX

Prefix = Annotated[
    str, typer.Option(metavar="PREFIX", help="Only keys with this prefix, such as raw/erp/.")
]
Rate = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        min=0.001,
        max=10_000,
        help="Events per second. Default: PUBLISH_EVENTS_PER_SECOND.",
    ),
]


def upload_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Files, or folders: all *.json and *.json.gz in them, which keep their paths.",
        ),
    ],
    *,
    to: Annotated[
        str, typer.Option(metavar="PREFIX", help="Key prefix to upload to.")
    ] = ERP_PREFIX,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Reject files that are not JSON.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Upload files to the lake, unchanged and under their own names."""
    with reported_errors():
        settings = settings_of_the_environment()
        prefix = check_prefix(to, settings.layout)
        upload_files = plan_uploads(find_files(files), prefix, settings.layout)
    run(
        lambda tally: application.run_upload(settings, upload_files, tally, check=check),
        Tally(len(upload_files)),
        {"command": "upload", "to": prefix},
        as_json=as_json,
    )


def publish_command(
    *,
    prefix: Prefix,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            metavar="TIME",
            help="Only objects written since then, UTC.",
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help="Only keys that match this pattern of *, ? and […]."),
    ] = None,
    rate: Rate = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the keys; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send an object-created event for every matching object in the lake."""
    with reported_errors():
        settings = settings_of_the_environment()
        written = since.replace(tzinfo=UTC) if since else None
        selection = Selection(prefix, written, pattern, settings.layout)

    def tell(entry: LakeEntry) -> None:
        if dry_run and not as_json:
            typer.echo(entry.key)

    per_second = None if dry_run else rate or settings.publish_events_per_second
    verb = "found" if dry_run else "announced"
    run(
        lambda tally: application.run_publish(settings, selection, tally, tell, per_second),
        Tally(0),
        {"command": "publish", "prefix": prefix, "dry_run": dry_run, "verb": verb},
        as_json=as_json,
    )


def init_lake_command(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be created; create nothing.")
    ] = False,
) -> None:
    """Create the lake's folder markers and check the bucket's settings.

    Changes no setting and deletes nothing.
    """
    settings = settings_of_the_environment()
    folders, advice = finish(application.run_init_lake(settings, dry_run=dry_run))
    done = "would create" if dry_run else "created"
    for folder in folders:
        typer.echo(f"{done} {folder}")
    if not folders:
        typer.echo("all folder markers exist")
    for entry in advice:
        typer.echo(entry)
    if not advice:
        typer.echo("versioning, encryption, public access block and notification are on")
