"""What came apart upstream, as `schema_drift` tells it, on a real database."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from consumer.drift.findings import MISSING, RENAMED, RETYPED, UNKNOWN
from consumer.errors import Permanent
from consumer.load.database import open_pool
from consumer.load.ledger import Entry, record_entry
from consumer.operate import drift_report
from consumer.operate.drift_report import read_drift
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode, State
from schemas.registry import Source
from tests.support.drifting import FIRST, SOURCE, a_day, daily, read, report, without_field
from tests.support.loading import load
from tests.support.samples import DAY, NOON, STORE, checks, day_list, fetched, full_check, prepared
from tests.support.warehouse import Warehouse, open_warehouse


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    """Give an empty migrated database."""
    with open_warehouse(database, sessions=1) as opened:
        yield opened


def drift(warehouse: Warehouse) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the rows of `schema_drift` by their key, times as seconds after noon."""
    rows = warehouse.query(
        "SELECT *, extract(epoch FROM first_seen - '2024-06-01T12:00Z')::int AS first,"
        " extract(epoch FROM last_seen - '2024-06-01T12:00Z')::int AS last FROM schema_drift"
    )
    return {(row["source"], row["path"], row["kind"]): row for row in rows}


def reported(database: dict[str, str], *options: str) -> str:
    """Return what `consumer drift` prints."""
    result = CliRunner().invoke(cli, ["drift", *options], env=database)
    assert result.exit_code == 0, result.output
    return result.stdout


def export(warehouse: Warehouse, number: int, *records: Any) -> None:
    load(warehouse, checks(*records), number=number, key=f"raw/erp/{number}.json")


def test_a_finding_is_one_row_that_knows_its_first_and_last_object(warehouse: Warehouse) -> None:
    for number, moods in ((20, 1), (40, 3), (30, 2)):
        export(
            warehouse, number, *(full_check(100 * number + n, mood="good") for n in range(moods))
        )
    found = drift(warehouse)
    [(key, row)] = found.items()
    assert key == ("erp", "guestChecks.mood", UNKNOWN)
    assert (row["first"], row["last"]) == (20, 40)
    assert (row["first_object_key"], row["last_object_key"]) == (
        "raw/erp/20.json",
        "raw/erp/40.json",
    )
    assert (row["occurrences"], row["objects"], row["detail"]) == (6, 3, "text")


def test_events_that_come_late_move_only_the_first_object(warehouse: Warehouse) -> None:
    for number in (50, 10):
        export(warehouse, number, full_check(number, mood="good"))
    [row] = drift(warehouse).values()
    assert (row["first_object_key"], row["last_object_key"]) == (
        "raw/erp/10.json",
        "raw/erp/50.json",
    )


def test_the_documents_of_one_batch_are_counted_together(warehouse: Warehouse) -> None:
    documents = [
        prepared(
            checks(full_check(number, mood="good")), number=number, key=f"raw/erp/{number}.json"
        ).document
        for number in (3, 1, 2)
    ]
    rows = day_list(Source.CHARGE_BACK, {"chargeId": 1, "mood": "bad"})
    warehouse.load(*documents, prepared(rows, Source.CHARGE_BACK).document)
    found = drift(warehouse)
    assert found.keys() == {
        ("erp", "guestChecks.mood", UNKNOWN),
        ("getChargeBack", "chargeBacks.mood", UNKNOWN),
    }
    row = found["erp", "guestChecks.mood", UNKNOWN]
    assert (row["occurrences"], row["objects"]) == (3, 3)
    assert (row["first_object_key"], row["last_object_key"]) == ("raw/erp/1.json", "raw/erp/3.json")


def test_an_object_that_is_delivered_again_counts_once(warehouse: Warehouse) -> None:
    for _ in range(3):
        load(warehouse, checks(full_check(1, mood=1)), number=7)
    [row] = drift(warehouse).values()
    assert (row["first"], row["last"], row["occurrences"], row["objects"]) == (7, 7, 1, 1)


def test_what_an_object_shows_replaces_what_it_showed_before(warehouse: Warehouse) -> None:
    """After a replay with an alias; the other object still shows it."""
    export(warehouse, 1, full_check(1, guests=2))
    export(warehouse, 2, full_check(2, guests=2), full_check(3, guests=2))
    aliases = load_aliases('[getGuestChecks]\n"guestChecks.gstCnt" = ["guests"]')
    again = checks(full_check(1, guests=2))
    mended = prepared(again, number=1, key="raw/erp/1.json", aliases=aliases)
    warehouse.load(mended.document)
    [row] = drift(warehouse).values()
    assert (row["first"], row["occurrences"], row["objects"]) == (2, 2, 1)


def test_a_document_that_is_outdated_still_tells_its_drift(warehouse: Warehouse) -> None:
    """Its rows are not applied, but what it looked like is a fact."""
    load(warehouse, checks(full_check(1, version=5)), number=5)
    load(warehouse, checks(full_check(1, version=1, mood=1)), number=6)
    assert drift(warehouse).keys() == {("erp", "guestChecks.mood", UNKNOWN)}


def test_documents_that_use_ids_as_names_do_not_fill_the_table(warehouse: Warehouse) -> None:
    """What is known already still counts."""
    export(warehouse, 0, full_check(0, mood=1))
    for number in range(1, 13):
        flood = {f"x{number}-{n}": 1 for n in range(199)}
        export(warehouse, number, full_check(number, mood=1, **flood))
    found = drift(warehouse)
    assert len(found) <= 2000 + 200
    assert found["erp", "guestChecks.mood", UNKNOWN]["objects"] == 13


def refuse(
    warehouse: Warehouse, document: Any, code: ErrorCode = ErrorCode.SCHEMA_INVALID, day: date = DAY
) -> None:
    """Enter a refused document into the ledger as the service does."""
    event = fetched(document, SOURCE, day=day).identity.event
    findings = None
    if code is ErrorCode.SCHEMA_INVALID:
        with pytest.raises(Permanent) as refused:
            prepared(document, SOURCE, day=day)
        findings = refused.value.findings
    entry = Entry(event, State.DEAD_LETTERED, NOON, 1, code, findings=findings)

    async def record() -> None:
        async with open_pool(warehouse.settings, 1) as pool:
            await record_entry(pool, entry)

    warehouse.runner.run(record())


def test_a_document_refused_for_its_root_is_told_once(warehouse: Warehouse) -> None:
    """No batch loads it; its findings are written with its ledger row."""
    for _ in range(2):
        refuse(warehouse, {"curUTC": 1704067200, "guestChecks": []})
        refuse(
            warehouse, {"locRef": STORE, "checks": [full_check(1)]}, day=FIRST + timedelta(days=9)
        )
    rows = warehouse.query("SELECT path, kind, detail, objects FROM schema_drift ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        (
            "checks",
            RENAMED,
            'add to the alias file: [getGuestChecks] "guestChecks" = ["checks"]',
            1,
        ),
        ("checks", UNKNOWN, "list", 1),
        ("curUTC", RETYPED, "expected text", 1),
    ]


def test_of_refused_documents_no_field_is_said_to_be_kept(warehouse: Warehouse) -> None:
    """Nothing of them is stored; of those that load all is, in columns or in extra."""
    refuse(warehouse, {"curUTC": 1704067200, "guestChecks": [], "mood": 1})
    told = report(warehouse)
    assert told[UNKNOWN, "mood"]["remedy"].startswith("stored nowhere: its documents were refused")
    assert "what was refused for it in `consumer dlq list`" in told[RETYPED, "curUTC"]["remedy"]
    read(warehouse, {1: checks(full_check(1, tblName=["90"]), mood=1)})
    told = report(warehouse)
    remedy = told[UNKNOWN, "mood"]["remedy"]
    assert remedy.startswith("kept in extra, but for what was refused (1 of 2 documents)")
    remedy = told[RETYPED, "guestChecks.tblName"]["remedy"]
    assert "what its column cannot hold is in extra" in remedy
    warehouse.query("UPDATE ingested_objects SET state = 'loaded', error_code = NULL RETURNING 1")
    assert report(warehouse)[UNKNOWN, "mood"]["remedy"].startswith("kept in extra; ")


def test_a_refusal_before_the_document_was_read_leaves_its_findings(warehouse: Warehouse) -> None:
    refuse(warehouse, {"curUTC": 1704067200, "guestChecks": []})
    refuse(warehouse, {}, ErrorCode.OBJECT_MISSING)
    assert drift(warehouse).keys() == {("getGuestChecks", "curUTC", RETYPED)}


def test_the_report_names_what_can_be_acted_on_first(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """As `consumer drift` prints it, for people and for programs; two days, one renamed."""
    usual = checks(*(full_check(n, subTtl=n) for n in range(30)))
    read(warehouse, {1: usual}, "Loja 7")
    assert reported(database).strip() == "no drift"

    read(warehouse, {2: checks(full_check(99, subTotal=5))}, "Loja 7")
    rows = json.loads(reported(database, "--json"))
    assert [(row["kind"], row["path"]) for row in rows] == [
        (RENAMED, "guestChecks.subTotal"),
        (MISSING, "guestChecks.subTtl"),
        (UNKNOWN, "guestChecks.subTotal"),
    ]
    remedy = 'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'
    assert rows[0]["detail"] == remedy
    assert {row["first_object_key"] for row in rows} == {"Loja 7 day 2"}
    since = str(FIRST + timedelta(days=2))
    assert [(row["since"], row["stores"]) for row in rows[:2]] == [(since, ["Loja 7"])] * 2
    assert (rows[2]["since"], rows[2]["stores"]) == (None, None)
    # Unknown fields are kept, whatever they turn out to be.
    [check] = warehouse.query("SELECT extra FROM guest_checks WHERE guest_check_id = 99")
    assert check["extra"] == {"subTotal": 5}


def test_a_long_list_of_stores_is_shortened_for_people(
    warehouse: Warehouse, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    for store in map(str, range(7)):
        read(warehouse, {1: checks(*(full_check(n, subTtl=n) for n in range(30)))}, store)
        read(warehouse, {2: checks(*(full_check(n) for n in range(30)))}, store)
    assert "0, 1, 2, 3, 4 and 2 more" in reported(database)
    told = drift_report.summary(warehouse.runner.run(read_drift(warehouse.settings)))
    day = FIRST + timedelta(days=2)
    assert (
        told == f"drift: 1 missing since {day}, store 0, 1, 2, 3, 4 and 2 more; see consumer drift"
    )


def test_what_is_only_unknown_is_hidden_unless_asked_for(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    export(warehouse, 1, full_check(1, mood="good", tblName=["90"], opnBusDt="2024-01-01"))
    shown, everything = reported(database).splitlines(), reported(database, "--all")
    [finding] = (line.split("\t") for line in shown[1:])
    assert finding[:5] == ["retyped", "erp", "guestChecks.tblName", STORE, "2024-01-01"]
    assert finding[5:7] == ["2024-06-01 12:00:01Z", "1"]
    assert finding[7].startswith("expected ")
    assert "guestChecks.mood" in everything
    assert {row["kind"] for row in json.loads(reported(database, "--json"))} == {UNKNOWN, RETYPED}


def test_a_finding_is_forgotten_until_it_is_seen_again(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """What stopped coming is forgotten for as long as it does not come back and stop again."""
    days = daily(range(3), count=20, mood="good") | {
        3: without_field(a_day(3, 20), "subTtl", mood="good")
    }
    read(warehouse, days)
    for path in ("guestChecks.subTtl", "guestChecks.mood"):
        assert path in reported(database, "forget", path)
    assert "no drift" in reported(database, "--all")
    after = int((datetime.now(UTC) - NOON).total_seconds()) + 60
    later = without_field(a_day(5, 20), "subTtl", mood="good")
    where: dict[str, Any] = {"day": FIRST + timedelta(days=5), "number": after}
    warehouse.load(prepared(later, SOURCE, **where).document)
    assert [line.split("\t")[2] for line in reported(database, "--all").splitlines()[1:]] == [
        "guestChecks.mood"
    ]


def test_a_path_that_nothing_is_told_of_cannot_be_forgotten(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    result = CliRunner().invoke(cli, ["drift", "forget", "guestChecks.mud"], env=database)
    assert (result.exit_code, "nothing is reported of 'guestChecks.mud'" in result.output) == (
        1,
        True,
    )
