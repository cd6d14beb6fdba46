"""The commands about the lake itself: upload, publish and init-lake."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from producer import app as application
from producer.commands.report import AsJson, run, settings_of_the_environment
from producer.lake import LakeEntry
from producer.sending.publish import Selection
from producer.sending.upload_files import UploadFile, check_prefix, find_files, plan_uploads
from producer.tally import Tally
from runtime.terminal import fail, finish, reported_errors, since_option
from schemas.keys import ERP_PREFIX

_FILES_OF_A_COMMAND = 200  # a command line is limited

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
        bool | None,
        typer.Option(
            "--check/--no-check",
            help="Upload nothing unless the consumer would load all of it, as `consumer validate` "
            "tells; or check nothing. Default: reject files that are not JSON.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Upload files to the lake, unchanged and under their own names."""
    with reported_errors():
        settings = settings_of_the_environment()
        prefix = check_prefix(to, settings.layout)
        upload_files = plan_uploads(find_files(files), prefix, settings.layout)
    if check:
        _validate(upload_files, as_json=as_json)
    run(
        lambda tally: application.run_upload(settings, upload_files, tally, check=check is None),
        Tally(len(upload_files)),
        {"command": "upload", "to": prefix},
        as_json=as_json,
    )


def _validate(upload_files: Sequence[UploadFile], *, as_json: bool) -> None:
    """Ask the consumer's own command about every file; exit with its code when it says no.

    In a process of its own: producer and consumer never import each other.
    """
    codes = set()
    for start in range(0, len(upload_files), _FILES_OF_A_COMMAND):
        files = upload_files[start : start + _FILES_OF_A_COMMAND]
        command = [sys.executable, "-m", "consumer", "validate"]
        command += [f"--key={file.key}" for file in files]
        command += ["--", *(str(file.path) for file in files)]
        output = sys.stderr if as_json else None
        codes.add(subprocess.run(command, stdout=output, check=False).returncode)
    if any(codes):
        fail("nothing was uploaded; correct the files, or upload without --check", max(codes))


def publish_command(
    *,
    prefix: Prefix,
    since: Annotated[datetime | None, since_option("objects written")] = None,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help="Only keys that match this pattern of *, ? and […]."),
    ] = None,
    rate: Rate = None,
    force: Annotated[
        bool, typer.Option("--force", help="Have loaded again what was loaded and would be again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the keys; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send an object-created event for every matching object in the lake."""
    with reported_errors():
        settings = settings_of_the_environment()
        selection = Selection(prefix, since, pattern, settings.layout)

    def tell(entry: LakeEntry) -> None:
        if dry_run and not as_json:
            typer.echo(entry.key)

    per_second = None if dry_run else rate or settings.publish_events_per_second
    verb = "found" if dry_run else "announced"
    run(
        lambda tally: application.run_publish(
            settings, selection, tally, tell, per_second, force=force
        ),
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
