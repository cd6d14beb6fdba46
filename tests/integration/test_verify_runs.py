"""How runs of `consumer verify` go: beside consumers, killed, interrupted, sampled, after a prune."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumer.ingest.prepare import prepare
from consumer.operate.proof.free_documents import FreeDocuments
from consumer.operate.proof.gathering import Gathering
from consumer.operate.proof.listing import Listing
from consumer.operate.verify import plan, verifying
from consumer.operate.verify.differences import Difference
from consumer.operate.verify.plan import Chosen
from consumer.operate.verify.proving import prove
from consumer.operate.verify.verifying import Verdict, Verifying
from tests.conftest import Lake
from tests.support.consuming import export, loaded, put
from tests.support.databases import execute
from tests.support.lake_loading import command, consumer_settings, load_new, stored_objects
from tests.support.programs import query, until
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.storied import DAY, STORE, answer, check, fill, key, transactions
from tests.support.warehouse import Warehouse, open_warehouse

# Dies with everything loaded, inside the snapshot, as if somebody had killed it there.
_KILLED = """
import os, signal
from consumer.cli import cli
from consumer.operate.verify.proving import Proving, prove
async def die(self):
    os.kill(os.getpid(), signal.SIGKILL)
Proving._compare_ledger = die
cli(["verify", "--settled-minutes", "0"])
"""
_LEFT = """
    SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname LIKE 'pg_temp%'"""
_STANDING = """
    SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM guest_checks), (SELECT count(*) FROM ingested_objects)"""


@pytest.fixture
def filled(environment: dict[str, str], lake: Lake) -> Iterator[Warehouse]:
    """Give a database that has loaded the small lake, with a session that loads more."""
    fill(lake)
    with open_warehouse(environment, sessions=1) as warehouse:
        load_new(warehouse, lake)
        yield warehouse


def verified(environment: dict[str, str], chosen: Chosen | None = None) -> Verdict:
    one = _verifying(environment, chosen)
    asyncio.run(one.run(lambda *_: None, lambda _: None))
    return one.verdict


def _verifying(environment: dict[str, str], chosen: Chosen | None = None) -> Verifying:
    return Verifying(consumer_settings(environment), chosen or Chosen(), timedelta())


class _Beside:
    """Puts and loads documents while a proof is at work, as consumers beside it do."""

    def __init__(self, warehouse: Warehouse, lake: Lake) -> None:
        self._warehouse, self._lake = warehouse, lake
        self.rounds = 0

    async def commit(self) -> None:
        self.rounds += 1
        await asyncio.to_thread(self._commit)

    def _commit(self) -> None:
        number = self.rounds
        hour = f"2024-03-04T0{number}:00:00"
        changed = answer(check(2, 10 + number, subTtl=number), check(90 + number), at=hour)
        put(self._lake, key("getGuestChecks", DAY, f"9{number}"), changed)
        put(self._lake, key("getTransactions", DAY, f"9{number}"), transactions(at=hour))
        late = export(check(4, 10 + number, subTtl=number), check(3, 40, gstCnt=number))
        put(self._lake, f"raw/erp/late{number}.json", late.replace(b'"001"', f'"{STORE}"'.encode()))
        load_new(self._warehouse, self._lake)


def test_what_consumers_commit_meanwhile_is_no_difference(
    environment: dict[str, str], lake: Lake, filled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the snapshot and after the listing; after both; between reading and comparing."""
    beside = _Beside(filled, lake)
    gather, answers = Gathering.run, Listing.answers

    async def late_snapshot(*args: Any) -> Any:
        await beside.commit()
        return await prove(*args)

    async def busy_gather(self: Gathering) -> None:
        await beside.commit()
        await gather(self)
        await beside.commit()

    async def late_listing(self: Listing, *args: Any, **_: Any) -> Any:
        return await answers(self, *args, anew=True)

    with monkeypatch.context() as patched:
        patched.setattr(verifying, "prove", late_snapshot)
        assert [] == verified(environment).differences
    with monkeypatch.context() as patched:
        patched.setattr(Gathering, "run", busy_gather)
        patched.setattr(Listing, "answers", late_listing)
        patched.setattr(FreeDocuments, "find", _listing_again(FreeDocuments.find))
        assert [] == verified(environment).differences
    assert 6 <= beside.rounds
    assert [] == verified(environment).differences


def _listing_again(find: Any) -> Any:
    """Let exports that came after the snapshot be known, too."""

    async def found(self: FreeDocuments) -> Any:
        for prefix in self.layout.free_prefixes:
            async for page in self.lake.versions(prefix):
                await self._add(page)
        return await find(self)

    return found


def test_a_run_ends_as_its_caller_can_tell(
    environment: dict[str, str], filled: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed it leaves nothing; sampled, it tells its metrics; interrupted, where to go on."""
    standing, left = query(environment, _STANDING), query(environment, _LEFT)
    killed = subprocess.run([sys.executable, "-c", _KILLED], env=environment, check=False)
    assert -signal.SIGKILL == killed.returncode
    until(lambda: query(environment, _LEFT) == left, "nothing is left of it")
    assert standing == query(environment, _STANDING)

    metrics = tmp_path / "verify.prom"
    sampled = "verify", "--sample", "1", "--metrics-file", str(metrics), "--settled-minutes", "0"
    code, said, _ = command(environment, *sampled)
    assert (0, "1 store-days") == (code, said[:12])
    assert {"coco_verify_store_days 1.0"} < {*metrics.read_text().splitlines()}
    execute(
        environment,
        "UPDATE guest_checks SET gst_cnt = 3 WHERE guest_check_id = 2",
        "UPDATE detail_lines SET dsp_ttl = 3 WHERE guest_check_id = 3",
        "DELETE FROM taxes WHERE guest_check_id = 3",
    )
    assert 1 == command(environment, *sampled)[0]
    told = [line for line in metrics.read_text().splitlines() if not line.startswith("#")]
    assert any(line.startswith('coco_verify_differences{kind="different"} ') for line in told)
    [ended] = [line for line in told if line.startswith("coco_verify_ended_seconds ")]
    assert abs(metrics.stat().st_mtime - float(ended.split()[1])) < 60
    assert (2, "") == command(environment, "verify", "--endpoint", "getNothing")[:2]

    # A day at a time; the first day's damage is told, the second one's interrupts.
    monkeypatch.setattr(plan, "_WINDOW_DAYS", 1)
    interrupted = _verifying(environment)
    parts: list[list[Difference]] = []

    def stop(found: list[Difference]) -> None:
        parts.append(found)
        if len(parts) == 2:
            raise KeyboardInterrupt

    execute(environment, _added("2024-03-05"))
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(interrupted.run(lambda *_: None, stop))
    assert date(2024, 3, 5) == interrupted.verdict.next_day
    rest = verified(environment, Chosen(first=interrupted.verdict.next_day))
    assert ["guest_checks"] == [one.table for one in rest.differences]
    assert _places(verified(environment).differences) == _places(
        [*interrupted.verdict.differences, *rest.differences]
    )


def _added(day: str) -> str:
    told = json.dumps({"guest_check_id": 500, "opn_bus_dt": day, "clsd_bus_dt": day})
    return f"""INSERT INTO guest_checks
        SELECT (jsonb_populate_record(c, '{told}')).* FROM guest_checks AS c
        WHERE guest_check_id = 4"""


def _places(found: Iterable[Difference]) -> set[tuple[Any, ...]]:
    return {one.place for one in found}


def test_what_only_events_tell_decides_between_documents_of_one_version(
    environment: dict[str, str], lake: Lake
) -> None:
    """Their times, against those of the lake; of one key its sequencers, against all times."""
    enabled = {"Status": "Enabled"}
    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration=enabled)
    for amount in (1, 2):
        row = {"transactionId": 1, "amount": amount}
        put(lake, key("getTransactions", DAY, f"{amount}"), transactions(row))
        put(lake, key("getGuestChecks", DAY, "1"), answer(check(1, subTtl=amount)))
    sooner, later = datetime(2024, 3, 2, 3, tzinfo=UTC), datetime(2024, 3, 2, 4, tzinfo=UTC)
    told: dict[str, tuple[dict[str, Any], ...]] = {
        "getTransactions": ({"event_time": later}, {"event_time": sooner}),
        "getGuestChecks": ({"sequencer": "FF"}, {"sequencer": "0A"}),
    }
    documents = []
    for one in stored_objects(lake):
        is_second = b'"amount": 2' in one.data or b'"subTtl": 2' in one.data
        event = replace(one.identity.event, **told[one.source][is_second])
        found = replace(one, identity=replace(one.identity, event=event))
        documents.append(prepare(found, ALIASES, NO_LIMIT).document)
    with open_warehouse(environment, sessions=1) as warehouse:
        warehouse.load(*documents)
    standing = "SELECT (SELECT amount FROM transactions), (SELECT sub_ttl FROM guest_checks)"
    assert [(1, 1)] == query(environment, standing)
    assert [] == verified(environment).differences


def test_ledger_rows_that_were_pruned_are_not_missed(
    environment: dict[str, str], lake: Lake, filled: Warehouse
) -> None:
    for minute in range(3):
        row = {"transactionId": 1, "amount": 5}
        again = transactions(row, at=f"2024-03-02T03:1{minute}:00")
        put(lake, key("getTransactions", DAY, f"1{minute}"), again)
    load_new(filled, lake)
    execute(
        environment,
        "UPDATE ingested_objects SET event_time = '2024-03-02Z', committed_at = '2024-03-02Z'",
    )
    before = loaded(environment)
    assert 0 == command(environment, "prune", "--older-than", "30d")[0]
    dropped = before - loaded(environment)
    assert 0 < dropped
    # The lake's objects are of today: as if it had been pruned in a month.
    execute(environment, "UPDATE prunings SET older_than = now() + interval '1 day'")
    assert [] == verified(environment).differences
    execute(environment, "DELETE FROM prunings")
    assert dropped == len(verified(environment).differences)
