"""Deletes what nobody needs any more: old snapshots, and files that no retained metadata names.

pyiceberg's expiry takes snapshots out of a table's metadata and deletes no file. Spared is whatever
`latest.json` names, and what is younger than the longest export: a batch under way has written
files that it has not committed yet.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import StaticTable, Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.batch import Place
from lakehouse.errors import LakehouseError
from lakehouse.lake import LATEST_KEY, PREFIX, Latest, StoredObject
from lakehouse.tables import TABLES


@dataclass(frozen=True, slots=True)
class Ages:
    """Until when snapshots are kept, and files that nobody names are spared."""

    keep: timedelta
    spare: timedelta


@dataclass(slots=True)
class Cleaned:
    """What was deleted, or would be."""

    snapshots: int = 0
    objects: int = 0
    bytes: int = 0
    uploads: int = 0
    keys: list[str] = field(default_factory=list)


def clean(
    place: Place, lock: Callable[[], AbstractContextManager[None]], ages: Ages, *, dry_run: bool
) -> Cleaned:
    """Expire old snapshots, then delete the files that are named nowhere.

    Raises:
        LakehouseError: an export is under way, or a table changes at the same moment.
    """
    now = datetime.now(UTC)
    cleaned = Cleaned()
    # Listed before it is known what is needed: what is committed from here on only adds to that.
    found = [stored for stored in place.lake.objects() if stored.modified < now - ages.spare]
    with lock():
        latest, _ = place.lake.read_latest()
        needed: set[str] = set()
        for name in TABLES:
            table = place.tables.load(name)
            if table is None:
                continue
            old = _old_snapshots(table, now - ages.keep, latest)
            cleaned.snapshots += len(old)
            if old and not dry_run:
                _expire(table, old)
                table = table.refresh()
            needed |= set(_needed(table, old))
        needed |= set(_published(place, latest))
    root = f"{place.tables.root}/"
    needed = {PREFIX + location.removeprefix(root) for location in needed} | {LATEST_KEY}
    unneeded = [stored for stored in found if _is_unneeded(stored, needed)]
    cleaned.objects, cleaned.keys = len(unneeded), [stored.key for stored in unneeded]
    cleaned.bytes = sum(stored.size_bytes for stored in unneeded)
    if not dry_run:
        place.lake.delete(cleaned.keys)
    cleaned.uploads = _end_uploads(place, now - ages.spare, dry_run=dry_run)
    return cleaned


def _old_snapshots(table: Table, since: datetime, latest: Latest | None) -> set[int]:
    kept = {ref.snapshot_id for ref in table.metadata.refs.values()}
    if latest is not None:
        kept |= {state.snapshot_id for state in latest.tables.values() if state.snapshot_id}
    oldest = since.timestamp() * 1000
    return {
        snapshot.snapshot_id
        for snapshot in table.metadata.snapshots
        if snapshot.timestamp_ms < oldest and snapshot.snapshot_id not in kept
    }


def _expire(table: Table, snapshot_ids: Iterable[int]) -> None:
    try:
        table.maintenance.expire_snapshots().by_ids(sorted(snapshot_ids)).commit()
    except CommitFailedException as error:
        raise LakehouseError(
            "somebody else committed to the tables at the same moment: run `lakehouse clean` again"
        ) from error


def _needed(table: Table, old: Iterable[int]) -> Iterator[str]:
    """Give the addresses of everything that a table's metadata names, but for its old snapshots."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        if snapshot.snapshot_id not in old:
            yield from _named_by(table, snapshot, seen)
    for statistics in table.metadata.statistics:  # an engine's, such as Trino's ANALYZE
        yield statistics.statistics_path


def _named_by(table: Table, snapshot: Snapshot, seen: set[str]) -> Iterator[str]:
    """Give the addresses of a snapshot's files; a manifest that was seen is not read again."""
    yield snapshot.manifest_list
    for manifest in snapshot.manifests(table.io):
        if manifest.manifest_path in seen:
            continue
        seen.add(manifest.manifest_path)
        yield manifest.manifest_path
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file.file_path


def _published(place: Place, latest: Latest | None) -> Iterator[str]:
    """Give what `latest.json` names: it may be older than the catalogue, after a crash."""
    for name, state in (latest.tables if latest else {}).items():
        current = place.tables.load(name)
        if current is None or current.metadata_location == state.metadata_location:
            continue
        table = StaticTable.from_metadata(state.metadata_location, current.io.properties)
        yield state.metadata_location
        snapshot = table.snapshot_by_id(state.snapshot_id) if state.snapshot_id else None
        if snapshot is not None:
            yield from _named_by(table, snapshot, set())


def _is_unneeded(stored: StoredObject, needed: set[str]) -> bool:
    """Say whether an object is a table's file, and nobody names it."""
    parts = stored.key.removeprefix(PREFIX).split("/")
    is_ours = parts[0] in TABLES and len(parts) > 2 and parts[1] in ("data", "metadata")
    return is_ours and stored.key not in needed and not stored.key.endswith("/")


def _end_uploads(place: Place, since: datetime, *, dry_run: bool) -> int:
    """Forget uploads that were begun and never ended: their parts are stored all the same."""
    old = [(key, number) for key, number, begun in place.lake.uploads() if begun < since]
    for key, number in () if dry_run else old:
        place.lake.abort(key, number)
    return len(old)
