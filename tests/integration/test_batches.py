"""Which check wins, sentence by sentence of the specification, on a real database."""

from datetime import UTC, date, datetime

import pytest

from schemas.codes import State
from schemas.registry import Source
from tests.support.loading import column, load
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import Warehouse


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


def test_items_remember_their_first_and_last_day(warehouse: Warehouse) -> None:
    for number, day in enumerate(["2024-01-02", "2024-01-03", "2024-01-01"]):
        line = {"guestCheckLineItemId": number, "busDt": day, "menuItem": {"miNum": 5}}
        load(warehouse, checks(full_check(number, detailLines=[line])), number=number)
    [item] = warehouse.rows("menu_items")
    assert (date(2024, 1, 1), date(2024, 1, 3)) == (item["first_seen"], item["last_seen"])


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
