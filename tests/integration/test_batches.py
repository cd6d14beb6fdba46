"""Which document wins, sentence by sentence of the specification, on a real database."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from schemas.codes import State
from schemas.sources import Source
from tests.samples import STORE, checks, day_list, full_check, prepared, staged
from tests.warehouse import Warehouse, open_warehouse, own_database

TRANSACTIONS = Source.TRANSACTIONS


@pytest.fixture(scope="module")
def opened(stack: Any) -> Iterator[Warehouse]:
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as warehouse,
    ):
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    opened.empty()
    return opened


def load(warehouse: Warehouse, document: Any, source: Source = Source.ERP, **where: Any) -> State:
    """Load one document alone and say what became of it."""
    ready = prepared(document, source, **where).document
    return warehouse.load(ready)[ready.number]


def load_day(warehouse: Warehouse, *rows: Any, curUTC: str | None = None, **where: Any) -> State:  # noqa: N803 - the ERP's name
    root = {"curUTC": curUTC} if curUTC else {}
    return load(warehouse, day_list(TRANSACTIONS, *rows, **root), TRANSACTIONS, **where)


def column(warehouse: Warehouse, table: str, name: str) -> list[Any]:
    return [row.get(name) for row in warehouse.rows(table)]


def test_a_newer_version_replaces_the_whole_header(warehouse: Warehouse) -> None:
    """What it does not send becomes null."""
    assert State.LOADED == load(warehouse, checks(full_check(1, 1, gstCnt=2, tblName="90", new=1)))
    assert State.LOADED == load(warehouse, checks(full_check(1, 2, gstCnt=3)), number=1)
    [row] = warehouse.rows("guest_checks")
    assert {"store_id", "guest_check_id", "last_updated_utc", "gst_cnt"} == row.keys()
    assert 3 == row["gst_cnt"]


def test_an_older_version_is_superseded_whatever_its_event_says(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, 2, gstCnt=2)))
    older = checks(full_check(1, 1, gstCnt=1, taxes=[{"taxNum": 1}]))
    assert State.SUPERSEDED == load(warehouse, older, number=9)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")
    assert [] == warehouse.rows("taxes")


def test_of_equal_versions_the_later_curutc_stands(warehouse: Warehouse) -> None:
    later = checks(full_check(1, gstCnt=2), curUTC="2024-06-01T00:00:02")
    earlier = checks(full_check(1, gstCnt=1), curUTC="2024-06-01T00:00:01")
    load(warehouse, later)
    assert State.SUPERSEDED == load(warehouse, earlier, number=9)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_without_curutc_the_object_s_time_counts(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, gstCnt=2)), number=2)
    assert State.SUPERSEDED == load(warehouse, checks(full_check(1, gstCnt=1)), number=1)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_taxes_and_lines_that_a_check_no_longer_has_are_marked_removed(
    warehouse: Warehouse,
) -> None:
    """And stay readable."""
    lines = [{"guestCheckLineItemId": number, "dspTtl": number} for number in (1, 2)]
    taxes = [{"taxNum": number, "taxRate": number} for number in (1, 2)]
    load(warehouse, checks(full_check(1, 1, taxes=taxes, detailLines=lines)))
    load(warehouse, checks(full_check(1, 2, taxes=taxes[:1], detailLines=None)), number=1)
    assert [1] == column(warehouse, "taxes", "tax_num")
    assert [] == warehouse.rows("detail_lines")
    assert [(2, 2)] == [(row["tax_num"], row["tax_rate"]) for row in warehouse.removed("taxes")]
    assert [1, 2] == [row["dsp_ttl"] for row in warehouse.removed("detail_lines")]


def test_what_comes_back_is_no_longer_removed(warehouse: Warehouse) -> None:
    for version, taxes in enumerate([[{"taxNum": 1}], [], [{"taxNum": 1}]]):
        load(warehouse, checks(full_check(1, version, taxes=taxes)), number=version)
    assert [1] == column(warehouse, "taxes", "tax_num")
    assert [] == warehouse.removed("taxes")


def test_a_partial_document_sets_what_it_sends_and_leaves_the_rest_alone(
    warehouse: Warehouse,
) -> None:
    """Missing is not null, and nothing is removed."""
    line = {"guestCheckLineItemId": 1, "dspTtl": 5, "menuItem": {"miNum": 7, "prcLvl": 1}}
    full = full_check(1, gstCnt=2, subTtl=10, new=1, taxes=[{"taxNum": 1}], detailLines=[line])
    load(warehouse, checks(full))
    partial = {
        "guestCheckId": 1,
        "gstCnt": 3,
        "subTtl": None,
        "newer": 2,
        "detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"prcLvl": 4}}],
    }
    assert State.LOADED == load(warehouse, checks(partial), number=1)
    [check] = warehouse.rows("guest_checks")
    assert (3, None, {"new": 1, "newer": 2}) == (
        check["gst_cnt"],
        check.get("sub_ttl"),
        check["extra"],
    )
    assert datetime(2024, 1, 1, 10, tzinfo=UTC) == check["last_updated_utc"]
    assert [1] == column(warehouse, "taxes", "tax_num")
    [stored] = warehouse.rows("detail_lines")
    assert (5, 7, 4) == (stored["dsp_ttl"], stored["menu_item_id"], stored["prc_lvl"])


def test_a_partial_document_older_than_the_check_s_sets_nothing(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, gstCnt=2)), number=2)
    partial = checks({"guestCheckId": 1, "gstCnt": 3})
    assert State.SUPERSEDED == load(warehouse, partial, number=1)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_a_partial_document_that_came_first_counts_once_the_full_one_is_there(
    warehouse: Warehouse,
) -> None:
    partial = {"guestCheckId": 1, "gstCnt": 3, "taxes": [{"taxNum": 2, "taxRate": 9}]}
    load(warehouse, checks(partial), number=2)
    assert [3] == column(warehouse, "guest_checks", "gst_cnt")
    load(warehouse, checks(full_check(1, gstCnt=2, chkNum=4, taxes=[{"taxNum": 1}])), number=1)
    [check] = warehouse.rows("guest_checks")
    assert (3, 4) == (check["gst_cnt"], check["chk_num"])
    assert [1, 2] == column(warehouse, "taxes", "tax_num")


def test_a_full_document_newer_than_the_partial_one_replaces_what_that_set(
    warehouse: Warehouse,
) -> None:
    """A removed row keeps what it said last."""
    load(warehouse, checks({"guestCheckId": 1, "gstCnt": 3, "taxes": [{"taxNum": 2, "type": 9}]}))
    load(warehouse, checks(full_check(1, gstCnt=2)), number=1)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")
    assert [] == warehouse.rows("taxes")
    assert [9] == [row["type"] for row in warehouse.removed("taxes")]


def test_a_line_that_only_partial_documents_know_has_a_type(warehouse: Warehouse) -> None:
    load(warehouse, checks({"guestCheckId": 1, "detailLines": [{"guestCheckLineItemId": 1}]}))
    [line] = warehouse.rows("detail_lines")
    assert ("unknown", False) == (line["line_type"], line["vd_flag"])


def test_a_null_version_does_not_erase_the_stored_one(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, 2, gstCnt=2)))
    load(warehouse, checks({"guestCheckId": 1, "lastUpdatedUTC": None, "chkNum": 5}), number=1)
    load(warehouse, checks(full_check(1, 1, gstCnt=1)), number=2)
    [check] = warehouse.rows("guest_checks")
    assert (2, 5) == (check["gst_cnt"], check["chk_num"])


def test_the_same_check_in_the_answers_of_two_days_is_one_check(warehouse: Warehouse) -> None:
    source = Source.GUEST_CHECKS
    opened_ = checks(full_check(1, 1, opnBusDt="2024-01-01", clsdBusDt=None))
    closed = checks(full_check(1, 2, opnBusDt="2024-01-01", clsdBusDt="2024-01-02"))
    load(warehouse, closed, source, day=date(2024, 1, 2), number=2)
    load(warehouse, opened_, source, day=date(2024, 1, 1), number=1)
    assert [date(2024, 1, 2)] == column(warehouse, "guest_checks", "clsd_bus_dt")


@pytest.mark.parametrize("versions", [(2, 1), (1, 2), (2, 2)])
def test_of_one_check_twice_in_a_file_the_newer_or_else_the_later_counts(
    warehouse: Warehouse, versions: tuple[int, int]
) -> None:
    first, second = versions
    load(
        warehouse, checks(full_check(1, first, gstCnt=first * 10), full_check(1, second, gstCnt=21))
    )
    assert [20 if first > second else 21] == column(warehouse, "guest_checks", "gst_cnt")
    found = warehouse.query("SELECT path, occurrences FROM schema_drift WHERE kind = 'duplicate'")
    assert [{"path": "guestChecks", "occurrences": 1}] == found


def test_a_line_may_move_to_another_check(warehouse: Warehouse) -> None:
    """Also when the check that it left is the one with the newer version."""
    line = {"guestCheckLineItemId": 9, "dspTtl": 1}
    load(warehouse, checks(full_check(1, 1, detailLines=[line]), full_check(2, 1)))
    load(warehouse, checks(full_check(2, 2, detailLines=[line]), full_check(1, 3)), number=1)
    assert [2] == column(warehouse, "detail_lines", "guest_check_id")


def test_an_older_version_of_the_check_that_a_line_left_does_not_take_it_back(
    warehouse: Warehouse,
) -> None:
    line = {"guestCheckLineItemId": 9, "dspTtl": 1}
    load(warehouse, checks(full_check(2, 2, detailLines=[line])), number=1)
    load(warehouse, checks(full_check(1, 1, detailLines=[line])))
    load(warehouse, checks(full_check(1, 3)), number=2)
    assert [2] == column(warehouse, "detail_lines", "guest_check_id")


LINE = {"guestCheckLineItemId": 9, "dspTtl": 1}
MOVE = {
    "before": checks(full_check(1, 1, detailLines=[LINE]), curUTC="2024-06-01T00:00:01"),
    "partial": checks(
        {"guestCheckId": 1, "detailLines": [{"guestCheckLineItemId": 9, "refInfo1": "x"}]},
        curUTC="2024-06-01T00:00:02",
    ),
    "taken": checks(full_check(2, 2, detailLines=[LINE]), curUTC="2024-06-01T00:00:03"),
    "given": checks(full_check(1, 3), curUTC="2024-06-01T00:00:03"),
}


@pytest.mark.parametrize("order", list(permutations(MOVE)), ids="-".join)
def test_a_line_that_a_partial_document_touched_may_move_to_another_check(
    warehouse: Warehouse, order: tuple[str, ...]
) -> None:
    """Whatever comes first, and in one batch or in several."""
    for at_once in (1, 2, 3, 4):
        warehouse.empty()
        ready = [
            staged(MOVE[name], number=list(MOVE).index(name), key=f"raw/erp/{name}.json")
            for name in order
        ]
        for first in range(0, len(ready), at_once):
            warehouse.load(*ready[first : first + at_once])
        assert [2] == column(warehouse, "detail_lines", "guest_check_id")


def test_items_remember_their_first_and_last_day(warehouse: Warehouse) -> None:
    for number, day in enumerate(["2024-01-02", "2024-01-03", "2024-01-01"]):
        line = {"guestCheckLineItemId": number, "busDt": day, "menuItem": {"miNum": 5}}
        load(warehouse, checks(full_check(number, detailLines=[line])), number=number)
    [item] = warehouse.rows("menu_items")
    assert (date(2024, 1, 1), date(2024, 1, 3)) == (item["first_seen"], item["last_seen"])


def test_the_newest_answer_is_the_whole_day(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1, "amount": 1}, {"transactionId": 2, "amount": 2})
    load_day(warehouse, {"transactionId": 2, "amount": 3}, {"transactionId": 4}, number=1)
    assert ["2", "4"] == column(warehouse, "transactions", "record_id")
    assert [Decimal(3), None] == column(warehouse, "transactions", "amount")
    assert ["1"] == [row["record_id"] for row in warehouse.removed("transactions")]


def test_an_older_answer_is_superseded(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1}, curUTC="2024-06-01T00:00:02")
    state = load_day(warehouse, {"transactionId": 2}, curUTC="2024-06-01T00:00:01", number=9)
    assert State.SUPERSEDED == state
    assert ["1"] == column(warehouse, "transactions", "record_id")


def test_ties_go_to_the_event_order(warehouse: Warehouse) -> None:
    """The third answer is older in no respect than the one that stands."""
    early, late = "2024-06-01T00:00:01", "2024-06-01T00:00:02"
    load_day(warehouse, {"transactionId": 1}, curUTC=early, number=9)
    load_day(warehouse, {"transactionId": 2}, curUTC=late, number=2)
    load_day(warehouse, {"transactionId": 3}, curUTC=late, number=4)
    load_day(warehouse, {"transactionId": 4}, curUTC=late, number=3)
    assert ["3"] == column(warehouse, "transactions", "record_id")


def test_an_empty_answer_empties_the_day(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1})
    assert State.LOADED == load_day(warehouse, number=1)
    assert [] == warehouse.rows("transactions")
    assert State.SUPERSEDED == load_day(warehouse, {"transactionId": 1}, {"amount": 1})


def test_ids_repeat_across_stores_and_days(warehouse: Warehouse) -> None:
    for number, (store, day) in enumerate([("001", 1), ("1", 1), ("001", 2)]):
        bus_dt = date(2024, 1, day)
        document = {"busDt": bus_dt.isoformat(), "transactions": [{"transactionId": 1}]}
        load(warehouse, document, TRANSACTIONS, store=store, day=bus_dt, number=number)
    rows = [(row["store_id"], row["bus_dt"].day) for row in warehouse.rows("transactions")]
    assert [("001", 1), ("001", 2), ("1", 1)] == sorted(rows)


def test_a_bad_row_keeps_what_an_older_answer_said_of_it(warehouse: Warehouse) -> None:
    load_day(warehouse, *({"transactionId": number, "amount": number} for number in (1, 2, 3)))
    bad = {"transactionId": 2, "amount": {}}
    assert State.DEAD_LETTERED == load_day(warehouse, {"transactionId": 1}, bad, number=1)
    assert [("1", None), ("2", 2)] == [
        (row["record_id"], row.get("amount")) for row in warehouse.rows("transactions")
    ]


def test_a_bad_row_without_an_id_keeps_everything(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1}, {"transactionId": 2})
    load_day(warehouse, {"transactionId": 3}, 7, number=1)
    assert ["1", "2", "3"] == column(warehouse, "transactions", "record_id")


def test_an_equal_row_is_not_written_again(warehouse: Warehouse) -> None:
    """It still says which object it came from first."""
    same = {"transactionId": 1, "amount": Decimal("5.10"), "new": {"b": 1, "a": 2}}
    load_day(warehouse, same)
    before = warehouse.versions([STORE])["transactions"]
    load_day(warehouse, {"new": {"a": 2, "b": 1}, **same}, {"transactionId": 2}, number=1)
    assert before[0] in warehouse.versions([STORE])["transactions"]


def test_an_object_loaded_twice_stays_loaded(warehouse: Warehouse) -> None:
    document = checks(full_check(1))
    assert State.LOADED == load(warehouse, document)
    load(warehouse, checks(full_check(1, 1)), number=1, key="raw/erp/b.json")
    assert State.LOADED == load(warehouse, document)
    ledger = warehouse.query("SELECT state FROM ingested_objects ORDER BY object_id")
    assert ["loaded", "loaded"] == [row["state"] for row in ledger]


def test_a_second_version_of_one_key_with_a_constant_sequencer_is_loaded(
    warehouse: Warehouse,
) -> None:
    """LocalStack gives every event the same one: equal must not mean stale."""
    first, second = (
        staged(checks(full_check(1, version, gstCnt=version)), number=version) for version in (1, 2)
    )
    for document in (first, second):
        object.__setattr__(document.identity.event, "sequencer", "0055AED6DCD90281E5")
        assert State.LOADED == warehouse.load(document)[document.number]
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_the_ledger_has_a_row_for_each_object_version(warehouse: Warehouse) -> None:
    load_day(
        warehouse, {"transactionId": 1}, {"transactionId": 2, "amount": {}}, key="raw/x", number=3
    )
    [row] = warehouse.query("SELECT * FROM ingested_objects")
    expected = {
        "bucket": "lake",
        "object_key": "raw/x",
        "source": "getTransactions",
        "store_id": STORE,
        "bus_dt": date(2024, 1, 1),
        "state": "dead_lettered",
        "error_code": "records_invalid",
        "records": 1,
        "quarantined": 1,
        "attempts": 1,
        "sequencer": "3",
    }
    assert expected == {name: row[name] for name in expected}


def test_texts_and_times_are_stored_as_sent(warehouse: Warehouse) -> None:
    name = 'Ana "A" \\N \t\r\n | São 🍕'
    load(
        warehouse,
        checks(
            full_check(
                1,
                chkName=name,
                opnUTC="2024-01-01T10:00:00",
                opnLcl="2024-01-01T07:00:00",
                lastTransUTC="2024-01-01T07:00:00-03:00",
            )
        ),
    )
    [check] = warehouse.rows("guest_checks")
    ten = datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert (name, ten, ten, datetime.fromisoformat("2024-01-01T07:00:00")) == (
        check["chk_name"],
        check["opn_utc"],
        check["last_trans_utc"],
        check["opn_lcl"],
    )


def test_the_samples_of_two_stores_in_one_batch_do_not_mix(warehouse: Warehouse) -> None:
    document = full_check(1, detailLines=[{"guestCheckLineItemId": 1, "menuItem": {"miNum": 1}}])
    stores = ("001", "1", "São João")
    warehouse.load(
        *(
            staged(checks(document, store=store), key=f"raw/erp/{number}.json", number=number)
            for number, store in enumerate(stores)
        )
    )
    for table in ("guest_checks", "detail_lines", "menu_items"):
        assert sorted(stores) == sorted(column(warehouse, table, "store_id"))
